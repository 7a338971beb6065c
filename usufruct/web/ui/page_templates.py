"""Templates of pages under Jinja: macros are made once for a page, texts without variables are translated once."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from gettext import NullTranslations
from types import CodeType
from typing import Any

from jinja2 import BytecodeCache, Environment, PackageLoader, PrefixLoader, StrictUndefined, Template
from jinja2.bccache import Bucket
from jinja2.environment import TemplateModule
from markupsafe import Markup

from usufruct.web.ui.language import Language

IMPORTED = "imported_templates"
"""Among a page's values: the templates whose macros were made for this page; a new dictionary for each."""

_MOST_TEXTS = 5_000


class PageTemplate(Template):
    """A template that a page imports `with context` once, however many of the page's templates name it.

    Its macros see what the page was given, and nothing of the template that imports them.
    """

    def make_module(
        self,
        vars: dict[str, Any] | None = None,  # noqa: A002 - Jinja's name
        shared: bool = False,
        locals: Mapping[str, Any] | None = None,  # noqa: A002 - Jinja's name
    ) -> TemplateModule:
        """Return the macros; `vars` is what the importing template sees."""
        imported: dict[str | None, TemplateModule] = (vars or {})[IMPORTED]
        if self.name not in imported:
            imported[self.name] = super().make_module(vars, shared)
        return imported[self.name]


class CompiledTemplates(BytecodeCache):
    """The code of templates, which depends on their text alone: every language and every site uses it."""

    def __init__(self) -> None:
        self._compiled: dict[str, tuple[str, CodeType | None]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template its code, unless its text has changed since."""
        checksum, code = self._compiled.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template's code instead of that of an earlier text."""
        self._compiled[bucket.key] = bucket.checksum, bucket.code


_COMPILED = CompiledTemplates()


def page_environment(language: Language, packages: Iterable[str], *, reload: bool) -> Environment:
    """Return the templates of packages in one language; `reload` reads one again that changed, for developers."""
    loaders = {package.rpartition(".")[2]: PackageLoader(package) for package in packages}
    environment = Environment(
        loader=PrefixLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=reload,
        bytecode_cache=_COMPILED,
    )
    environment.template_class = PageTemplate
    environment.install_gettext_translations(language.messages, newstyle=True)  # type: ignore[attr-defined]
    environment.globals["gettext"] = _gettext(language.messages)
    return environment


def _gettext(messages: NullTranslations) -> Callable[..., Markup]:
    """Return what translates a text and puts escaped variables in, as Jinja's own does; most texts have none."""

    @lru_cache(_MOST_TEXTS)
    def plain(text: str) -> Markup:
        return Markup(messages.gettext(text)) % {}

    def gettext(text: str, /, **variables: object) -> Markup:
        return Markup(messages.gettext(text)) % variables if variables else plain(text)

    return gettext

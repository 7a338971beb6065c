// A model's Markdown as elements: paragraphs, headings, lists, code, bold, italics. All else, links and HTML too, is text.

const INLINE = /(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*)/;

function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

function inline(text) {
  return text.split(INLINE).map((part, index) => {
    if (index % 2 === 0) return part;
    if (part[0] === "`") return element("code", part.slice(1, -1));
    return part.startsWith("**") ? element("b", part.slice(2, -2)) : element("i", part.slice(1, -1));
  });
}

function block(text) {
  const lines = text.split("\n");
  const heading = /^#{1,6} +(.*)$/.exec(text);
  if (heading) return element("p", element("b", ...inline(heading[1])));
  for (const [kind, mark] of [["ul", /^[-*+] +/], ["ol", /^\d{1,9}[.)] +/]]) {
    if (!lines.every((line) => mark.test(line))) continue;
    const list = element(kind, ...lines.map((line) => element("li", ...inline(line.replace(mark, "")))));
    if (kind === "ol") list.start = parseInt(text, 10);
    return list;
  }
  return element("p", ...inline(text));
}

export function markdown(text) {
  return text.split(/^```[^\n]*\n([\s\S]*?)(?:^```[^\n]*$|$(?![\s\S]))/m).flatMap((part, index) => {
    if (index % 2) return [element("pre", element("code", part))];
    return part.replace(/^(#{1,6} .*)$/gm, "\n$1\n").split(/\n{2,}/).map((each) => each.replace(/^\n|\n$/g, ""))
      .filter(Boolean).map(block);
  });
}

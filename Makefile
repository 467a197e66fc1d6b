# make run    start the hospital on this machine (Ctrl-C stops it)
# make test   every test: SQLite and PostgreSQL suites, brokers, browser
# make check  static checks
# make bench  figures, as a table and a JSON file
.DEFAULT_GOAL := help
.PHONY: help run setup test check bench clean
BIN := .venv/bin

help:
	@sed -n 's/^# //p' Makefile

run:
	@tools/setup.sh run
	@exec $(BIN)/python tools/run.py

setup:
	@tools/setup.sh check

test:
	@tools/setup.sh test
	@$(BIN)/python tools/test.py $(ARGS)

check:
	@tools/setup.sh check
	@$(BIN)/python tools/check.py

bench:
	@tools/setup.sh check
	@$(BIN)/python -m bench.run $(ARGS)

# Removes the embedded database, the broker and all files of the demo on this machine.
clean:
	@rm -rf var

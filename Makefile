# The targets that people use; what they do stands in the scripts they call.
.PHONY: help demo test test-fast soak check install dist bench

help:
	@echo 'make demo       build gantline and run its demo: a shop of three services'
	@echo 'make test       set up what the tests need and run every tier'
	@echo 'make test-fast  the tests that need nothing: unit, golden, cli, crash'
	@echo 'make soak       many kills and long runs of what make test has a sample of'
	@echo 'make check      format, clippy, dependencies, documentation, scripts, links'
	@echo 'make install    build gantline and install it for this user'
	@echo 'make dist       what is published for this platform, in dist/ (takes long)'
	@echo 'make bench      measure gantline beside its peers; writes docs/benchmarks.md'

demo:
	cargo run --quiet --locked -- demo
	@command -v gantline >/dev/null || echo 'The commands above need gantline on your PATH: make install'

test:
	tests/run all

test-fast:
	tests/run fast

soak:
	tests/run soak

check:
	tests/run check

install:
	./install.sh --from-source

dist:
	scripts/dist

# What could not be set up is said, and not measured.
bench:
	tests/setup bench || true
	tests/bench/run

# Names only: what a target does is in script/.
.PHONY: setup rehearsal test check update

setup:
	@script/setup

rehearsal:
	@script/rehearsal $(STACK)

test:
	@script/test

check:
	@script/check

update:
	@script/update

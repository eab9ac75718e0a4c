# Names only: what a target does is in script/.
.PHONY: setup rehearsal alerts test check update

setup:
	@script/setup

rehearsal:
	@script/rehearsal $(STACK)

alerts:
	@script/alerts

test:
	@script/test

check:
	@script/check

update:
	@script/update

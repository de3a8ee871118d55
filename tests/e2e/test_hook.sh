#!/usr/bin/env bash
# `git push` to a bare repository: who pushes sees the plan, or it is applied, as the hook and the
# deployment's policy say; a gate refuses wrong specs and held plans while their objects are still
# in quarantine; another's hook is left alone.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

bare=$place/it\'s\ here.git
push() {
    code=0
    (cd "$repo" && exec timeout -k 5 120 git push "$bare" main) >"$out" 2>"$err" </dev/null || code=$?
}

commit_example
git init -q --bare -b main "$bare"

tt hook install "$bare" --gate
check "the hooks are installed" exits 0
tt hook install "$bare" --gate
check "a second time they are there already" says 'post-receive is installed already'
push
check "a push is planned by default" says '^remote: .*create'
check "and nothing is made" no_machines
check "the push is taken" exits 0

tt hook install "$bare" --policy apply --gate
edit 's/drain: 5s/drain: 1s/'
push
check "a push is applied" exits 0
check "who pushes sees how it ends" says '^remote: .*(one|pplied|omplete)'
check "three servers and the balancer run" has_slots "0 1 2"
check "and answer" answers_from 12 3
tt show 1
check "history tells that it was a push" says 'push to refs/heads/main'

echo more >"$repo/README"
commit "no spec"
push
check "a push that touches no deployment starts nothing" says 'touches no deployment'

edit 's/type: vm-dynamic/type: vm-dynamc/'
push
check "the gate refuses wrong specs" exits 1
check "and says where" says '^remote: .*fleet.yaml:[0-9]+:[0-9]+: error\[unknown-value\]'
git -C "$repo" reset -q --hard HEAD~1
check "what was refused is not there" [ "$(git -C "$bare" rev-parse main)" = "$(git -C "$repo" rev-parse main)" ]

edit 's/  state: running/  state: running\n  guard: {maxDestroy: 10%}/; s/count: 3/count: 1/'
push
check "the gate refuses what a guard holds" exits 1
check "and says so" says '^remote: .*a guard holds its plan'
git -C "$repo" reset -q --hard HEAD~1

edit 's/  state: running/  state: running\n  onPush: plan/; s/count: 3/count: 4/'
push
check "the deployment's policy counts more than the hook's" says '^remote: .*create'
check "it is planned only" [ "$(machines | wc -l)" -eq 4 ]
edit 's/onPush: plan/suspend: true/'
push
check "what is suspended is not applied" says 'not applied now: it is suspended'
check "though it is planned" [ "$(machines | wc -l)" -eq 4 ]

tt hook uninstall "$bare"
check "the hooks are removed" [ ! -e "$bare/hooks/post-receive" ] && [ ! -e "$bare/hooks/pre-receive" ]
printf '#!/bin/sh\nexit 0\n' >"$bare/hooks/post-receive"
chmod +x "$bare/hooks/post-receive"
tt hook install "$bare"
check "another's hook is left alone" exits 1
check "with what to do" says 'there already and not ours.*--force'
tt hook install "$bare" --force
check "--force replaces it" exits 0
check "and keeps it" grep -q 'exit 0' "$bare/hooks/post-receive.before-trimtab"

edit '/suspend: true/d'
stop_everything
finish

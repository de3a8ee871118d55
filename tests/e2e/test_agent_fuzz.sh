#!/usr/bin/env bash
# Random arguments for the agent's scripts, dangerous ones among them, with dash and with bash: no
# file changes but those of the pool, no program runs, and what is in the pool is well formed. One
# round with a Zeus that does not answer, so that every list is tried, and one with a real HAProxy,
# whose front end stays as it was, byte for byte. Covers providers/proxies/agent/.
set -uo pipefail
root=$(mktemp -d /tmp/trimtab-fuzz-XXXXXX)
supervisor=
clean_up() {
    if [ -n "$supervisor" ]; then
        kill -TERM "$supervisor" 2>/dev/null
        wait "$supervisor" 2>/dev/null
    fi
    rm -rf "$root"
}
trap clean_up EXIT
seed=${TT_SEED:-$$}
RANDOM=$seed
calls=${TT_CALLS:-120}

fail() {
    printf 'FAILED (TT_SEED=%s): %s\n' "$seed" "$*" >&2
    exit 1
}

"$1/trimtab" agent "$root" >/dev/null || fail "trimtab agent: exit $?"
mkdir -p "$root/enstratus/etc" "$root/work"
echo zeus >"$root/enstratus/etc/backend"
echo x >"$root/password"
printf 'url http://127.0.0.1:1\npassword-file %s\n' "$root/password" >"$root/enstratus/etc/zeus"
export TRIMTAB_ROOT=$root

# Everything but the pool and what a call was told.
everything() {
    find "$root" -type f ! -path "$root/enstratus/var/*" ! -path "$root/enstratus/etc/settings*" \
        -exec cksum {} + | sort
}

good=(shop.web a.example NONE 10.0.0.1 10.0.0.10 80 65535 /etc/hostname --drain 5 --listeners --address)
bad=("" "-" "--" "-rf" "../../x" "a b" $'a\nb' $'a\tb' "\$(touch hit)" "\`touch hit\`" ";touch hit"
    "|touch hit" "*" "10.0.0.256" "010.0.0.1" "0" "65536" "1e3" "99999999999999999999" "a{b}" "a'b" 'a"b'
    'a\b' "/etc/../etc/passwd" $'\xff\xfe' "%s%n" "{}" "a,b" "a.example,-i" "-i" ",," "/dev/stdin" "#" "!x" "~root" "&")

word() {
    case $((RANDOM % 3)) in
    0) word=${bad[RANDOM % ${#bad[@]}]} ;;
    *) word=${good[RANDOM % ${#good[@]}]} ;;
    esac
}

# A call that is nearly right: one argument is not.
nearly() {
    words=(shop.web a.example NONE 10.0.0.1 10.0.0.10 80)
    word
    words[RANDOM % 6]=$word
}

anything() {
    words=()
    for ((n = RANDOM % 10; n > 0; n--)); do
        word
        words+=("$word")
    done
}

# Lines for joinProxy.
lines() {
    text=
    for ((l = RANDOM % 3; l >= 0; l--)); do
        nearly
        text+="${words[*]}"$'\n'
    done
}

# call SHELL SCRIPT INPUT ARGUMENT...: what it may end with; bad arguments change nothing.
call() {
    local shell=$1 script=$2 input=$3 told

    shift 3
    told=$(cksum "$var/members" "$etc/settings" 2>/dev/null)
    code=0
    timeout 60 "$shell" "$root/enstratus/bin/$script" "$@" <<<"$input" >/dev/null 2>&1 || code=$?
    case $code in
    0 | 20 | 21 | 22) ;;
    1)
        [ "$(cksum "$var/members" "$etc/settings" 2>/dev/null)" = "$told" ] ||
            fail "$shell $script ${*@Q} <<<${input@Q}: refused, and something changed"
        ;;
    *) fail "$shell $script ${*@Q} <<<${input@Q}: exit $code" ;;
    esac
}

expect_sound() {
    [ "$(everything)" = "$before" ] || fail "files changed: $(diff <(printf '%s' "$before") <(everything))"
    [ -z "$(ls -A "$root/work")" ] || fail "a program ran: $(ls -A "$root/work")"
    if grep -vqP '^[A-Za-z0-9][A-Za-z0-9._-]*\t[A-Za-z0-9.-]+\t[A-Za-z0-9.,-]+\t[0-9.]+\t[0-9]+\t[0-9a-z.-]+$' \
        "$var/members"; then
        fail "the pool is not well formed: $(cat "$var/members")"
    fi
}

cd "$root/work" || exit 1
etc=$root/enstratus/etc
var=$root/enstratus/var
scripts=(startProxy stopProxy listProxy configureProxy)
before=$(everything)
for shell in dash bash; do
    for ((turn = 0; turn < calls; turn++)); do
        if [ $((RANDOM % 2)) = 0 ]; then nearly; else anything; fi
        word
        call "$shell" "${scripts[RANDOM % 4]}" "listener $word http - - - -" "${words[@]}"
    done
done
expect_sound
printf '%s calls with each shell, seed %s; the pool of a silent Zeus has %s members\n' "$calls" \
    "$seed" "$(wc -l <"$var/members")"

# --- HAProxy ---

PATH=$PATH:/usr/sbin:/sbin
for program in haproxy socat curl; do
    command -v "$program" >/dev/null || {
        printf 'skip - test_agent_fuzz: %s is not installed\n' "$program"
        exit 0
    }
done
rm -rf "$var"
rm -f "$etc/settings" "$etc/zeus"
echo haproxy >"$etc/backend"
export TRIMTAB_ADDRESS=127.$((100 + $$ / 256 % 150)).$(($$ % 256)).1
port=$(python3 -c 'import socket, sys; s = socket.socket(); s.bind((sys.argv[1], 0)); print(s.getsockname()[1])' \
    "$TRIMTAB_ADDRESS")
"$root/enstratus/bin/superviseProxy" </dev/null >/dev/null 2>"$root/supervised" &
supervisor=$!
printf 'algorithm source\nhealth http /up?a=b 2000 1000 3\nlistener %s http - - - -\n' "$port" |
    "$root/enstratus/bin/configureProxy" || fail "configureProxy: exit $?"

# All but what names the members: their backends, and how requests are led there.
front() {
    sed '/^backend /,$d; /^# the end$/d; /^    use_backend /d; /^    default_backend /d' "$var/haproxy.cfg"
}

# A setting that is not one.
hostile_settings() {
    word=${bad[RANDOM % ${#bad[@]}]}
    case $((RANDOM % 4)) in
    0) text="listener $word http - - - -" ;;
    1) text="algorithm round-robin"$'\n'"listener 8080 http x$word - - -" ;;
    2) text="health http $word 2000 1000 3 bind" ;;
    3) text="algorithm $word" ;;
    esac
}

scripts=(startProxy startProxy joinProxy joinProxy stopProxy listProxy configureProxy superviseProxy)
rm -f "$root/supervised"
cp "$var/haproxy.cfg" "$root/first"
cp "$etc/settings" "$root/settings"
front >"$root/front"
before=$(everything)
accepted=0
calls=$((calls / 3))
for shell in dash bash; do
    for ((turn = 0; turn < calls; turn++)); do
        script=${scripts[RANDOM % ${#scripts[@]}]}
        text=
        if [ $((RANDOM % 4)) != 0 ]; then nearly; else anything; fi
        case $script in
        stopProxy) [ ${#words[@]} -ne 6 ] || words=("${words[4]}" "${words[0]}" "${words[5]}") ;;
        joinProxy)
            lines
            words=()
            ;;
        configureProxy)
            hostile_settings
            [ $((RANDOM % 2)) = 0 ] || words=()
            ;;
        listProxy) words=("${words[@]:0:1}") ;;
        superviseProxy) words+=(x) ;;
        esac
        call "$shell" "$script" "$text" "${words[@]}"
        front | cmp -s - "$root/front" ||
            fail "$shell $script ${words[*]@Q} <<<${text@Q}: the front end changed: $(front | diff "$root/front" -)"
        cmp -s "$etc/settings" "$root/settings" || fail "$script ${words[*]@Q} <<<${text@Q}: the settings changed"
        [ ! -e "$var/joining" ] || fail "joinProxy <<<${text@Q}: left a file"
        [ "$code" -ne 0 ] || accepted=$((accepted + 1))
        # One that was accepted is one that haproxy accepts.
        (cd "$var" && haproxy -c -q -f haproxy.cfg >"$root/../${root##*/}.out" 2>&1) ||
            fail "$shell $script ${words[*]@Q} <<<${text@Q}: haproxy refuses: $(cat "$root/../${root##*/}.out")"
        rm -f "$root/../${root##*/}.out"
    done
done
expect_sound
[ "$accepted" -gt 0 ] || fail "no call was accepted"
[ "$("$root/enstratus/bin/listProxy" | cut -f 1-3)" = "$(cut -f 1,4,5 "$var/members" | sort)" ] ||
    fail "HAProxy has another pool than the members file"
pool=$(wc -l <"$var/members")
[ "$(curl -q -s -o /dev/null -w '%{http_code}' --noproxy '*' --max-time 10 \
    "http://$TRIMTAB_ADDRESS:$port/.well-known/trimtab-alive")" = 200 ] || fail "HAProxy does not serve"
cut -f 4 "$var/members" | sort -u >"$root/addresses"
while read -r address; do
    "$root/enstratus/bin/stopProxy" "$address" </dev/null || fail "stopProxy $address: exit $?"
done <"$root/addresses"
cmp -s "$var/haproxy.cfg" "$root/first" ||
    fail "an empty pool leaves another configuration: $(diff "$root/first" "$var/haproxy.cfg")"
printf '%s calls with each shell, seed %s; %s were accepted, the pool of HAProxy had %s members\n' \
    "$calls" "$seed" "$accepted" "$pool"

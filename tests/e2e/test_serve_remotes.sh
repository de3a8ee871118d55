#!/usr/bin/env bash
# Repositories behind a real TLS server (Apache with git-http-backend) and a real sshd, both on
# loopback: passwords from files, keys with a passphrase from the environment; wrong ones, unknown
# hosts and bad certificates are refused with the reason and without a secret, and a server that says
# nothing holds up nobody.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

config=$place/serve.yaml
log=$place/log
backend=$(git --exec-path)/git-http-backend
export HOME=$place/home PASSPHRASE='a phrase'
mkdir -p "$HOME/.ssh"
unset SSH_AUTH_SOCK

case $(getent passwd "$(id -u)" | cut -d: -f7) in
*nologin | */false | '')
    skip "this user has no shell to log in with"
    exit 77
    ;;
esac
for program in /usr/sbin/sshd /usr/sbin/apache2 "$backend"; do
    [ -x "$program" ] || {
        skip "there is no $program"
        exit 77
    }
done

# In the build with ASan: libgit2 1.5 does not give back all of what a connection over ssh took.
printf 'leak:%s\n' git_remote_connect_ext libssh2.so >"$place/leaks"
export LSAN_OPTIONS=print_suppressions=0:suppressions=$place/leaks
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}fast_unwind_on_malloc=0

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# openssl_quietly ARGUMENT...
openssl_quietly() {
    openssl "$@" 2>>"$place/openssl.log" >&2
}

set_up_https() {
    https=$(free_port)
    openssl_quietly req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj '/CN=an authority' -keyout "$place/ca.key" -out "$place/ca.pem"
    openssl_quietly req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
        -keyout "$place/web.key" -out "$place/web.csr"
    printf 'subjectAltName=DNS:localhost\n' >"$place/web.ext"
    openssl_quietly x509 -req -in "$place/web.csr" -CA "$place/ca.pem" -CAkey "$place/ca.key" \
        -CAcreateserial -days 2 -extfile "$place/web.ext" -out "$place/web.pem"
    printf 'robot:%s\n' "$(openssl passwd -apr1 'a password')" >"$place/users"
    cat >"$place/apache.conf" <<END
ServerRoot $place
ServerName localhost
PidFile $place/apache.pid
DefaultRuntimeDir $place
Mutex file:$place default
Listen 127.0.0.1:$https
ErrorLog $place/apache.log
$(for module in mpm_prefork authn_core authn_file auth_basic authz_core authz_user alias env setenvif cgi ssl; do
        printf 'LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n' "$module" "$module"
    done)
$([ "$(id -u)" -ne 0 ] || printf 'User www-data\nGroup www-data\n')
SSLEngine on
SSLCertificateFile $place/web.pem
SSLCertificateKeyFile $place/web.key
SetEnv GIT_PROJECT_ROOT $place/served
SetEnv GIT_HTTP_EXPORT_ALL 1
SetEnv GIT_CONFIG_GLOBAL $place/served/gitconfig
ScriptAlias /git/ $backend/
<Location /git/>
    AuthType Basic
    AuthName git
    AuthUserFile $place/users
    Require valid-user
</Location>
END
    APACHE_RUN_DIR=$place /usr/sbin/apache2 -f "$place/apache.conf" -X >"$place/apache.out" 2>&1 &
}

set_up_ssh() {
    ssh=$(free_port)
    [ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
    ssh-keygen -q -t ed25519 -N "$PASSPHRASE" -f "$place/key"
    ssh-keygen -q -t ed25519 -N '' -f "$place/other_key"
    ssh-keygen -q -t ed25519 -N '' -f "$place/host_key"
    cat >"$place/sshd_config" <<END
Port $ssh
ListenAddress 127.0.0.1
ListenAddress 127.0.0.2
HostKey $place/host_key
PidFile none
AuthorizedKeysFile $place/key.pub
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
END
    printf '[127.0.0.1]:%s %s\n' "$ssh" "$(cat "$place/host_key.pub")" >"$HOME/.ssh/known_hosts"
    printf '[127.0.0.2]:%s %s\n' "$ssh" "$(cat "$place/other_key.pub")" >>"$HOME/.ssh/known_hosts"
    /usr/sbin/sshd -D -f "$place/sshd_config" -E "$place/sshd.log" &
}

# secret FILE TEXT
secret() {
    printf '%s\n' "$2" >"$1"
    chmod 600 "$1"
}

write_config() {
    local who

    who=$(id -un)
    secret "$place/password" 'a password'
    secret "$place/wrong" 'not this one'
    cat >"$config" <<END
repositories:
  - name: https
    url: https://localhost:$https/git/fleet.git
    poll: 500ms
    login: {username: robot, passwordFile: $place/password, authorities: $place/ca.pem}
  - name: ssh
    url: ssh://$who@127.0.0.1:$ssh$place/served/fleet.git
    branch: other
    poll: 500ms
    login: {sshKey: $place/key, passwordEnv: PASSPHRASE}
  - name: silent
    url: https://127.0.0.1:$silent/fleet.git
    poll: 500ms
END
    cat "$config" - >"$place/wrong.yaml" <<END
  - name: password
    url: https://localhost:$https/git/fleet.git
    login: {username: robot, passwordFile: $place/wrong, authorities: $place/ca.pem}
  - name: nobody
    url: https://localhost:$https/git/fleet.git
    login: {authorities: $place/ca.pem}
  - name: readable
    url: https://localhost:$https/git/fleet.git
    login: {username: robot, passwordFile: $place/readable, authorities: $place/ca.pem}
  - name: authority
    url: https://localhost:$https/git/fleet.git
    login: {username: robot, passwordFile: $place/password}
  - name: certificate
    url: https://127.0.0.1:$https/git/fleet.git
    login: {username: robot, passwordFile: $place/password, authorities: $place/ca.pem}
  - name: missing
    url: https://localhost:$https/git/none.git
    login: {username: robot, passwordFile: $place/password, authorities: $place/ca.pem}
  - name: branch
    url: https://localhost:$https/git/fleet.git
    branch: none
    login: {username: robot, passwordFile: $place/password, authorities: $place/ca.pem}
  - name: key
    url: ssh://$who@127.0.0.1:$ssh$place/served/fleet.git
    login: {sshKey: $place/other_key}
  - name: phrase
    url: ssh://$who@127.0.0.1:$ssh$place/served/fleet.git
    login: {sshKey: $place/key, passwordFile: $place/wrong}
  - name: nokey
    url: ssh://$who@127.0.0.1:$ssh$place/served/fleet.git
    login: {sshKey: $place/none}
  - name: unknown
    url: ssh://$who@localhost:$ssh$place/served/fleet.git
    login: {sshKey: $place/key, passwordEnv: PASSPHRASE}
  - name: changed
    url: ssh://$who@127.0.0.2:$ssh$place/served/fleet.git
    login: {sshKey: $place/key, passwordEnv: PASSPHRASE}
END
    cp "$place/password" "$place/readable"
    chmod 644 "$place/readable"
}

listens() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# refused NAME WORDS
refused() {
    tt serve --config "$place/wrong.yaml" --fetch "$1"
    check "$1: it is refused" exits 1
    check "$1: and the reason is told" says "$2"
    cat "$out" "$err" >>"$place/all"
}

logged() {
    grep -qE -- "$1" "$log"
}

commit_sim 2
git -C "$repo" checkout -q -b other
commit_sim 1 'suspend: true'
git -C "$repo" checkout -q main
mkdir -p "$place/served"
git clone -q --bare "$repo" "$place/served/fleet.git"
git -C "$place/served/fleet.git" config http.receivepack false
chmod -R go+rX "$place/served"
chmod go+x "$place"
git config --file "$place/served/gitconfig" safe.directory '*'
silent=$(free_port)
python3 -c 'import socket, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(50)
time.sleep(300)' "$silent" &
set_up_https
set_up_ssh
write_config
check "Apache listens" eventually 10 listens "$https"
check "sshd listens" eventually 10 listens "$ssh"

tt serve --config "$config" --fetch https
check "over https, with a password from a file" says "^$(git -C "$repo" rev-parse main)\$"
tt serve --config "$config" --fetch ssh
check "over ssh, with a key and its passphrase" says "^$(git -C "$repo" rev-parse other)\$"
tt serve --config "$config" --fetch none
check "what is not there is told" says 'no repository none'

refused password 'refuses the credentials: check those under login'
refused nobody 'wants credentials: name them under login'
refused readable 'readable is readable by everybody'
refused authority 'certificate is invalid.*: name those who sign for it'
refused certificate 'certificate'
refused missing 'cannot fetch https://localhost:[0-9]*/git/none.git'
refused branch 'has no branch none'
refused key 'cannot fetch ssh://.*(refuses|authenticat)'
refused phrase 'cannot fetch ssh://'
refused nokey 'cannot read the key .*/none'
refused unknown 'not the one in ~/.ssh/known_hosts, or none is there'
refused changed 'not the one in ~/.ssh/known_hosts'
check "no secret was said" [ -z "$(grep -E 'a password|not this one|a phrase' "$place/all")" ]

"$trimtab" serve --config "$config" 2>"$log" </dev/null &
daemon=$!
check "what is behind https is applied" eventually 30 logged 'https/shop: apply of [0-9a-f]*: done'
check "what is behind ssh is followed" eventually 20 logged 'ssh: at [0-9a-f]*: 1 deployment'
commit_sim 3
git -C "$repo" push -q "$place/served/fleet.git" main
check "a push is found by polling" eventually 30 logged "https/shop: apply of $(git -C "$repo" rev-parse --short=12 HEAD): done"
check "no secret is logged" [ -z "$(grep -E 'a password|not this one|a phrase' "$log")" ]
began=$SECONDS
kill -TERM "$daemon"
wait "$daemon"
check "a server that says nothing does not hold up its end" [ $((SECONDS - began)) -lt 5 ]
[ "$failures" -eq 0 ] || tail -n 30 "$log" "$place/apache.log" "$place/sshd.log"
finish

# hub_server.sh - a PostgreSQL of the test's own, for shell tests: . tests/hub_server.sh; hub_start
# A cluster in a temporary folder (initdb refuses root: then it is the user postgres'), on a socket there; no network.
# HUB: its address for -L. hub_stop ends it, hub_sql asks it.
hub_bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
hub_as() { if [ "$(id -u)" -eq 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups env -C "$hub_dir" "$@"; else "$@"; fi; }
hub_up() { hub_as "$hub_bin/pg_ctl" -D "$hub_dir/data" -l "$hub_dir/log" -w -t 300 -s start; }
hub_down() { hub_as "$hub_bin/pg_ctl" -D "$hub_dir/data" -m "${1:-fast}" -w -t 300 -s stop; }
hub_start() {
  hub_dir=$(mktemp -d); chmod 755 "$hub_dir"
  [ "$(id -u)" -ne 0 ] || chown postgres "$hub_dir"
  hub_as "$hub_bin/initdb" -D "$hub_dir/data" -A peer -U postgres --no-sync -E UTF8 --locale=C >/dev/null || return 1
  printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$hub_dir'" "shared_buffers = 32MB" "max_connections = 60" \
    "autovacuum = off" "log_statement = all" | hub_as tee -a "$hub_dir/data/postgresql.conf" >/dev/null
  echo "local all all trust" | hub_as tee "$hub_dir/data/pg_hba.conf" >/dev/null
  hub_up || { cat "$hub_dir/log"; return 1; }
  HUB="postgresql:///postgres?host=$hub_dir&user=postgres"
}
# TLS on loopback, beside the socket: HUB_TLS. A CA of its own in $hub_dir/ca.crt; the password is "secret".
hub_tls() {
  ( cd "$hub_dir" && echo 'subjectAltName=DNS:localhost,IP:127.0.0.1' >ext &&
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.crt &&
    openssl req -newkey rsa:2048 -nodes -subj /CN=hub -keyout server.key -out server.csr &&
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out server.crt ) >"$hub_dir/tls.log" 2>&1 || return 1
  [ "$(id -u)" -ne 0 ] || chown postgres "$hub_dir/server.key"
  chmod 600 "$hub_dir/server.key"; chmod 644 "$hub_dir/server.crt" "$hub_dir/ca.crt"
  hub_port=$((20000 + $$ % 20000))
  printf '%s\n' "listen_addresses = '127.0.0.1'" "port = $hub_port" "ssl = on" "ssl_cert_file = '$hub_dir/server.crt'" \
    "ssl_key_file = '$hub_dir/server.key'" | hub_as tee -a "$hub_dir/data/postgresql.conf" >/dev/null
  echo "hostssl all all 127.0.0.1/32 scram-sha-256" | hub_as tee -a "$hub_dir/data/pg_hba.conf" >/dev/null
  hub_down fast; hub_up || return 1
  HUB="postgresql:///postgres?host=$hub_dir&port=$hub_port&user=postgres"
  HUB_TLS="postgresql://postgres@127.0.0.1:$hub_port/postgres"
  hub_sql "ALTER USER postgres PASSWORD 'secret'"
}
# All of the server's processes stand still, and the system goes on to acknowledge what is sent to them.
hub_signal() { p=$(head -n 1 "$hub_dir/data/postmaster.pid"); kill "-$1" "$p" $(pgrep -P "$p"); }
hub_sql() { "$hub_bin/psql" -qAtX -v ON_ERROR_STOP=1 "$HUB" -c "$1"; }
# The hub as an older kinoseek had made it: 5 without surveys, 4 without another model, 3 without what people keep, 2 without functions and roles, 1 without a queue too.
hub_older() {
  hub_sql "DROP INDEX kinoseek.job_working; ALTER TABLE kinoseek.job DROP pass; DROP VIEW kinoseek.filled; ALTER TABLE kinoseek.video DROP top; ALTER TABLE kinoseek.next_video DROP top; CREATE INDEX job_next ON kinoseek.job(state, queued, content);
    ALTER TABLE kinoseek.clip DROP CONSTRAINT clip_video_space_start_stop_reason_key; ALTER TABLE kinoseek.clip ADD UNIQUE(video, space, start, stop)
    ; CREATE VIEW kinoseek.filled AS SELECT v.* FROM kinoseek.video v, kinoseek.library l WHERE l.space = l.writing UNION ALL SELECT n.* FROM kinoseek.next_video n; UPDATE kinoseek.library SET schema = $1"
  [ "$1" -lt 5 ] || return 0
  hub_sql "DROP VIEW kinoseek.filled; DROP TABLE kinoseek.next_video; ALTER TABLE kinoseek.library DROP writing; ALTER TABLE kinoseek.space DROP swept; UPDATE kinoseek.library SET schema = $1"
  [ "$1" -lt 4 ] || return 0
  hub_sql "DROP FUNCTION kinoseek.put_kept; DROP TABLE kinoseek.kept; DROP SEQUENCE kinoseek.kept_id"
  [ "$1" -lt 3 ] || return 0
  hub_sql "DO \$\$ DECLARE f regprocedure; BEGIN FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'kinoseek'::regnamespace LOOP
    EXECUTE 'DROP FUNCTION ' || f; END LOOP; END \$\$; DROP TYPE kinoseek.clip_row, kinoseek.span; ALTER TABLE kinoseek.video DROP who;
    REVOKE ALL ON ALL TABLES IN SCHEMA kinoseek FROM kinoseek_reader, kinoseek_worker; REVOKE ALL ON SCHEMA kinoseek FROM kinoseek_reader, kinoseek_worker;
    UPDATE kinoseek.library SET schema = $1"
  [ "$1" -gt 1 ] || hub_sql "DROP TABLE kinoseek.job"
}
hub_stop() { hub_down immediate >/dev/null 2>&1; rm -rf "$hub_dir"; }

# nginx with two workers serves files over the loopback, and reloads its configuration.
port=$1
mkdir -p site temp
echo '<p>hello</p>' >site/index.html
seq 1 20000 >site/numbers
cat >nginx.conf <<END
daemon off;
worker_processes 2;
pid $PWD/pid;
error_log $PWD/error.log;
events { worker_connections 64; }
http {
    access_log off;
    sendfile on;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp;
    uwsgi_temp_path temp; scgi_temp_path temp;
    server { listen 127.0.0.1:$port; root $PWD/site; }
}
END
nginx -p "$PWD" -e "$PWD/error.log" -c "$PWD/nginx.conf" &
server=$!
python3 - "$port" <<'END'
import hashlib, sys, threading, time, urllib.error, urllib.request
address = f"http://127.0.0.1:{sys.argv[1]}/"
for _ in range(300):
    try:
        print(urllib.request.urlopen(address).read().decode().strip())
        break
    except urllib.error.URLError:
        time.sleep(0.1)
found = []
def fetch():
    content = urllib.request.urlopen(address + "numbers").read()
    found.append(hashlib.sha256(content).hexdigest())
threads = [threading.Thread(target=fetch) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(found), set(found))
try:
    urllib.request.urlopen(address + "nothing")
except urllib.error.HTTPError as error:
    print(error.code)
END
kill -HUP "$server"
kill -QUIT "$server"
wait "$server"
echo "ended with $?"

"""TLS before a port of this host that has none, with an authority of its own.

    /usr/bin/python3 tls.py FOLDER PORT    makes FOLDER/ca.pem, prints its port, and lives until its
                                           standard input ends
"""

import socket
import ssl
import subprocess
import sys
import threading


def make_certificate(folder):
    def openssl(*words):
        subprocess.run(("openssl",) + words, check=True, stderr=subprocess.DEVNULL, cwd=folder)

    with open(folder + "/names", "w") as file:
        file.write("subjectAltName=IP:127.0.0.1\n")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-days", "2", "-subj", "/CN=the cloud's own authority")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "request.pem",
            "-subj", "/CN=127.0.0.1")
    openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "cert.pem")


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(context, plain, port):
    try:
        client = context.wrap_socket(plain, server_side=True)
        behind = socket.create_connection(("127.0.0.1", port))
    except OSError:  # a client that does not trust us, say
        plain.close()
        return
    threading.Thread(target=copy, args=(behind, client), daemon=True).start()
    copy(client, behind)


def accept(listener, context, port):
    while True:
        plain, _ = listener.accept()
        threading.Thread(target=serve, args=(context, plain, port), daemon=True).start()


def main():
    folder, port = sys.argv[1], int(sys.argv[2])
    make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener, context, port), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


main()

# tries: call out in every way that Python knows
# expect: finished
# says: 9 refused
import ftplib
import http.client
import smtplib
import socket
import urllib.request
import xmlrpc.client

from attempts import PORT, attempt, over

attempt("a connection", lambda: socket.create_connection(("127.0.0.1", PORT), timeout=1))
attempt("a datagram", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", PORT)))
attempt("a name", lambda: socket.getaddrinfo("example.org", 443))
attempt("listening", lambda: socket.socket().bind(("127.0.0.1", 0)))
attempt("a local socket", lambda: socket.socket(socket.AF_UNIX).connect("/run/x"))
attempt("a page", lambda: urllib.request.urlopen(f"http://127.0.0.1:{PORT}/"))
attempt("a request", lambda: http.client.HTTPConnection("127.0.0.1", PORT).request("GET", "/"))
attempt("a mail", lambda: smtplib.SMTP("127.0.0.1", PORT))
attempt("a call", lambda: xmlrpc.client.ServerProxy(f"http://127.0.0.1:{PORT}").steal())
over()

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './harness.js'

/**
 * nginx with one worker and `proxy_cache`, with its files in the given folder. It sends the stored header fields of the origin, and
 * answers 304 itself.
 */
export async function nginx({ folder, originPort }) {
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  const configuration = `
${process.getuid() === 0 ? 'user root;' : ''}
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx-error.log;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  proxy_cache_path ${folder}/nginx-cache keys_zone=bench:10m inactive=1d use_temp_path=off;
  open_file_cache max=1000 inactive=1d;
  open_file_cache_valid 1d;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${originPort};
      proxy_cache bench;
      proxy_cache_valid any 1d;
      proxy_ignore_headers Cache-Control Expires;
    }
  }
}
`
  writeFileSync(file, configuration)
  return { port, command: ['nginx', '-p', folder, '-c', file, '-e', `${folder}/nginx-error.log`] }
}

/** Varnish in memory. Its own handling of `Accept-Encoding` is off: it knows only gzip, and one case is Brotli. */
export async function varnish({ folder, originPort }) {
  const port = await freePort()
  const file = join(folder, 'bench.vcl')
  const configuration = `
vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "${originPort}"; }
sub vcl_backend_response {
  set beresp.ttl = 1d;
  return (deliver);
}
`
  writeFileSync(file, configuration)
  const parameters = ['thread_pools=1', 'thread_pool_min=100', 'http_gzip_support=off'].flatMap((each) => ['-p', each])
  const place = ['-j', 'none', '-n', join(folder, 'varnish'), '-a', `127.0.0.1:${port}`, '-T', 'none']
  return { port, command: ['varnishd', '-F', ...place, '-f', file, '-s', 'malloc,64m', ...parameters] }
}

// SPDX-License-Identifier: Apache-2.0
// A small web application: files, digests, a child process, other threads. usage: node app.js PORT
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const { execFile } = require('child_process');

let seen = 0;

const routes = {
	count: (done) => done(++seen > 0),
	keep: (done) => fs.writeFile('/tmp/app.part', 'kept', (err) => {
		if (err) return done(false);
		fs.rename('/tmp/app.part', '/tmp/app.kept', () =>
			fs.stat('/tmp/app.kept', (failed, st) => done(!failed && st.size === 4)));
	}),
	hash: (done) => crypto.pbkdf2('a', 'b', 1000, 32, 'sha256', (err, key) => done(!err && key.length === 32)),
	child: (done) => execFile('/bin/true', (err) => done(!err)),
};

http.createServer((request, response) => {
	const name = request.url.split('/').pop();
	const end = (code, text) => response.writeHead(code, { 'Content-Type': 'text/plain' }).end(text);
	request.resume();
	request.on('end', () => {
		if (name === 'index.html') return end(200, 'it works\n');
		if (!routes[name]) return end(404, 'none\n');
		routes[name]((ok) => end(ok ? 200 : 500, ok ? 'ok\n' : 'failed\n'));
	});
}).listen(Number(process.argv[2]), '127.0.0.1');

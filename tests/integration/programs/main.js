// Files, processes, a worker thread, an HTTP server, a signal, an exit code.
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const os = require('os');
const { spawn, spawnSync } = require('child_process');
const { Worker } = require('worker_threads');

function throughCat(text) {
  return new Promise((done) => {
    const child = spawn('cat');
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.on('close', (code) => done([output, code]));
    child.stdin.end(text);
  });
}

function squaresOfWorker() {
  const source =
    'require("worker_threads").parentPort.postMessage([1, 2, 3].map((n) => n * n))';
  return new Promise((done) => new Worker(source, { eval: true }).on('message', done));
}

function serveAndAsk() {
  return new Promise((done) => {
    const server = http.createServer((request, response) => response.end(request.url));
    server.listen(0, '127.0.0.1', async () => {
      const base = `http://127.0.0.1:${server.address().port}`;
      const ask = (path) => fetch(base + path).then((answer) => answer.text());
      done(await Promise.all(['/1', '/2', '/3'].map(ask)));
      server.close();
      server.closeAllConnections();
    });
  });
}

async function main() {
  console.log(os.platform(), os.arch(), os.cpus().length > 0, os.totalmem() > 0);
  fs.mkdirSync('d/e', { recursive: true });
  fs.writeFileSync('d/e/f', 'x'.repeat(1e6));
  console.log(fs.statSync('d/e/f').size, fs.readdirSync('d', { recursive: true }));
  console.log(crypto.createHash('sha256').update(fs.readFileSync('d/e/f')).digest('hex'));
  console.log(spawnSync('echo', ['spawned']).stdout.toString().trim());
  console.log(spawnSync('sh', ['-c', 'exit 3']).status);
  console.log((await fs.promises.readFile('d/e/f')).length);
  console.log(await throughCat('piped'));
  console.log(await squaresOfWorker());
  console.log(await serveAndAsk());
  const signal = new Promise((done) => process.once('SIGUSR2', done));
  const alive = setTimeout(() => {}, 10000); // waiting for a signal alone keeps nothing running
  process.kill(process.pid, 'SIGUSR2');
  console.log(await signal);
  clearTimeout(alive);
  await new Promise((done) => setTimeout(done, 50));
  process.exitCode = 5;
}

main();

<?php
// SPDX-License-Identifier: Apache-2.0
// A small web application: a counter under a lock, files, digests, a child process.

function tally(): bool
{
    $file = fopen('/tmp/app.count', 'c+');
    if (!$file || !flock($file, LOCK_EX)) {
        return false;
    }
    $n = (int) fgets($file) + 1;
    ftruncate($file, 0);
    rewind($file);
    $done = fwrite($file, (string) $n) > 0 && fflush($file) && fsync($file);
    return fclose($file) && $done;
}

function keep(): bool
{
    $name = tempnam('/tmp', 'app');
    return file_put_contents($name, 'kept') === 4 && rename($name, '/tmp/app.kept') && filesize('/tmp/app.kept') === 4;
}

function digest(): bool
{
    return strlen(hash('sha256', random_bytes(4096))) === 64;
}

function child(): bool
{
    return trim((string) shell_exec('echo it lives')) === 'it lives';
}

$done = match (basename($_SERVER['PATH_INFO'] ?? '')) {
    'count' => tally(),
    'keep' => keep(),
    'hash' => digest(),
    'child' => child(),
    default => null,
};
http_response_code($done === null ? 404 : ($done ? 200 : 500));
header('Content-Type: text/plain');
echo $done ? "ok\n" : "no\n";

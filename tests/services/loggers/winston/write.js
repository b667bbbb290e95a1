#!/usr/bin/env node
// Writes logs with winston as two applications configure it: `booking`, an appointment booking system
// (format.timestamp 'YYYY-MM-DD HH:mm:ss' and format.json), and `crm`, a CRM integration (JSON.stringify
// in format.printf, upper-case level, ISO time). Both have two File transports, error.log and
// combined.log, with maxsize 5 MB and maxFiles 5.
//
//   run DIR [--app booking|crm] [--count N] [--rate PER_SECOND] [--seed N] [--first N]
//           [--maxsize BYTES] [--maxfiles N] [--secrets FILE]
//
// Every record has a member n, from --first on. The records hold what such applications leak: tokens,
// cookies, passwords, e-mail addresses, cards. Each planted secret is unique, stands on a line of its own
// in the --secrets file and carries a mark: "cnryq7", the same in base64 in a JWT's claims, or, in a
// card, 4929 0716 at its beginning. Winston itself removes files beyond maxFiles, read or not, and may lose
// lines at a rotation when it is flooded: what was written is what the files hold.
'use strict';

const fs = require('fs');
const path = require('path');
const winston = require('winston');

const MAXSIZE = 5242880;
const MAXFILES = 5;
const MARK = 'cnryq7';
const CARD_MARK = '49290716';

function parseArguments(argv) {
  const known = { app: 'booking', count: '1000', rate: '0', seed: '1', first: '0', maxsize: String(MAXSIZE), maxfiles: String(MAXFILES), secrets: '' };
  const args = { ...known, dir: '' };
  for (let i = 0; i < argv.length; i++) {
    if (!argv[i].startsWith('--')) {
      args.dir = argv[i];
      continue;
    }
    const name = argv[i].slice(2);
    if (!(name in known) || i + 1 >= argv.length) throw new Error(`unknown option ${argv[i]}, or its value is missing`);
    args[name] = argv[++i];
  }
  if (!args.dir) throw new Error('say the directory to write to');
  if (!['booking', 'crm'].includes(args.app)) throw new Error(`no application named ${args.app}`);
  for (const name of ['count', 'rate', 'seed', 'first', 'maxsize', 'maxfiles']) {
    args[name] = Number(args[name]);
    if (!Number.isFinite(args[name])) throw new Error(`--${name} wants a number`);
  }
  return args;
}

// -- the two applications' loggers ---------------------------------------------------------------

const formats = {
  booking: () =>
    winston.format.combine(winston.format.timestamp({ format: 'YYYY-MM-DD HH:mm:ss' }), winston.format.errors({ stack: true }), winston.format.json()),
  crm: () =>
    winston.format.combine(
      winston.format.timestamp(),
      winston.format.errors({ stack: true }),
      winston.format.json(),
      winston.format.printf(({ timestamp, level, message, ...meta }) =>
        JSON.stringify({ timestamp, level: level.toUpperCase(), message, service: 'halopsa-integration', version: '1.0.0', ...meta }),
      ),
    ),
};

const defaultMeta = {
  booking: { service: 'appointment-booking', environment: 'production', version: '1.0.0' },
  crm: { service: 'halopsa-integration' },
};

function createLogger(args) {
  const file = (name, options) =>
    new winston.transports.File({ filename: path.join(args.dir, name), maxsize: args.maxsize, maxFiles: args.maxfiles, ...options });
  return winston.createLogger({
    level: 'info',
    format: formats[args.app](),
    defaultMeta: defaultMeta[args.app],
    transports: [file('error.log', { level: 'error' }), file('combined.log', {})],
  });
}

// -- records -------------------------------------------------------------------------------------

function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

class Secrets {
  constructor(next, file) {
    this.next = next;
    this.file = file ? fs.openSync(file, 'w') : null;
  }

  plant(secret) {
    if (this.file !== null) fs.writeSync(this.file, secret + '\n');
    return secret;
  }

  word(length, alphabet = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789') {
    return Array.from({ length }, () => alphabet[Math.floor(this.next() * alphabet.length)]).join('');
  }

  token() {
    return this.plant(MARK + this.word(26));
  }

  email() {
    return this.plant(`${MARK}${this.word(12, 'abcdefghijklmnopqrstuvwxyz')}@${this.word(6, 'abcdefghijklmnopqrstuvwxyz')}.example`);
  }

  jwt() {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = part({ sub: MARK + this.word(10), iat: 1700000000, scope: 'bookings' });
    this.plant(claims);
    return `${part({ alg: 'HS256', typ: 'JWT' })}.${claims}.${this.plant(MARK + this.word(37))}`;
  }

  card(separator) {
    const digits = CARD_MARK + this.word(7, '0123456789');
    let sum = 0;
    for (let i = 0; i < digits.length; i++) {
      const d = Number(digits[digits.length - 1 - i]) * (i % 2 === 0 ? 2 : 1);
      sum += d > 9 ? d - 9 : d;
    }
    const all = digits + String((10 - (sum % 10)) % 10);
    return this.plant(all.match(/.{4}/g).join(separator));
  }
}

const URLS = ['/api/bookings', '/api/bookings/8127', '/api/slots?date=2026-03-14', '/api/users/me', '/health', '/api/payments'];
const AGENTS = ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36', 'okhttp/4.12.0'];

class Application {
  constructor(logger, next, secrets) {
    Object.assign(this, { logger, next, secrets });
  }

  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  uuid() {
    const hex = this.secrets.word(32, '0123456789abcdef');
    return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-a$4-$5').slice(0, 36);
  }

  // Logs one record, of a kind that depends on n.
  log(n) {
    const kinds = ['started', 'completed', 'completed', 'completed', 'booking', 'user', 'payment', 'security', 'failed', 'performance'];
    this[kinds[n % kinds.length]](n);
  }

  write(level, message, meta) {
    this.logger.log(level, message, meta);
  }

  started(n) {
    const headers = {
      host: 'booking.example',
      'user-agent': this.pick(AGENTS),
      authorization: `Bearer ${this.secrets.jwt()}`,
      cookie: `theme=dark; session=${this.secrets.token()}`,
      'x-api-key': this.secrets.token(),
    };
    this.write('info', 'API Request Started', { n, requestId: this.uuid(), method: 'POST', url: this.pick(URLS), headers, ip: '203.0.113.7' });
  }

  completed(n) {
    const statusCode = this.pick([200, 200, 200, 201, 204, 404, 500]);
    const meta = { n, requestId: this.uuid(), method: this.pick(['GET', 'POST']), url: this.pick(URLS), statusCode };
    this.write('info', 'Request completed', {
      ...meta,
      duration: `${Math.floor(this.next() * 900)}ms`,
      contentLength: Math.floor(this.next() * 20000),
      userId: 1000 + Math.floor(this.next() * 500),
      tenantId: 'clinic-' + Math.floor(this.next() * 40),
      userAgent: this.pick(AGENTS),
    });
  }

  booking(n) {
    const slot = { from: '2026-03-14T09:00:00Z', to: '2026-03-14T09:30:00Z', room: this.pick(['A', 'B', 'Süd', '診察室']) };
    this.write('info', 'Booking event', { n, eventType: 'booking.created', category: 'booking', slot, customer: { email: this.secrets.email() } });
  }

  user(n) {
    const body = { email: this.secrets.email(), password: this.secrets.token(), newsletter: this.next() < 0.5 };
    this.write('info', `User event: ${this.secrets.email()} signed in`, { n, eventType: 'user.login', category: 'user', body });
  }

  payment(n) {
    const message = `Payment by card ${this.secrets.card(this.pick([' ', '-', '']))} accepted`;
    this.write('info', message, { n, category: 'payment', amount: 49.9, currency: 'ZAR', raw: JSON.stringify({ token: this.secrets.token() }) });
  }

  security(n) {
    const text = `Token refresh failed: Authorization: Bearer ${this.secrets.token()}`;
    this.write('warn', 'Security event', { n, eventType: 'token.invalid', category: 'security', severity: 'high', detail: text });
  }

  failed(n) {
    const error = new Error(`connect ECONNREFUSED postgres://app:${this.secrets.token()}@db.example:5432/bookings`);
    this.write('error', 'Application error', { n, error: { message: error.message, stack: error.stack, name: error.name }, category: 'error' });
  }

  performance(n) {
    const metrics = { heapUsed: Math.floor(this.next() * 1e8), eventLoopLag: this.next(), bigId: '90071992547409931234' };
    this.write('info', 'Performance event', { n, eventType: 'heap', category: 'performance', ...metrics });
  }
}

// -- main ----------------------------------------------------------------------------------------

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const turn = () => new Promise((resolve) => setImmediate(resolve)); // without it, winston loses lines at each rotation

async function main() {
  const args = parseArguments(process.argv.slice(2));
  fs.mkdirSync(args.dir, { recursive: true });
  const logger = createLogger(args);
  const next = random(args.seed);
  const application = new Application(logger, next, new Secrets(next, args.secrets));
  const begun = Date.now();
  for (let i = 0; i < args.count; i++) {
    application.log(args.first + i);
    const due = args.rate > 0 ? begun + (i / args.rate) * 1000 - Date.now() : 0;
    if (due > 1) await sleep(due);
    do await turn();
    while (logger.writableNeedDrain || logger.readableLength > 0);
  }
  const finished = logger.transports.map((transport) => new Promise((resolve) => transport.once('finish', resolve)));
  logger.end();
  await Promise.all(finished);
}

main().catch((err) => {
  console.error(`write.js: ${err.message}`);
  process.exit(2);
});

// Verifies an export of the logs offline: `node verify-export.cjs --export FILE --key PUBLIC_KEY [--head FILE]`. It
// needs Node and nothing else: no package, no database and no other file. It is written from RFC 6962 and the
// specifications of C2SP, without code of the seals: an error of theirs is not repeated. README.md has the line types.
/* eslint max-lines: ["error", 470] -- one file is copied to any machine, and read by those who trust no server */
const { createHash, createPublicKey, verify } = require('node:crypto');
const { createReadStream, readFileSync } = require('node:fs');
const { parseArgs } = require('node:util');

const USAGE = `Usage: npm run audit:verify -- --export FILE --key PUBLIC_KEY [--key KEY …] [--head FILE …]

  --export FILE     an export of format ndjson
  --key PUBLIC_KEY  the verifier key of the log (name+id+key), kept apart from the export; repeated after a change of it
  --head FILE       an older checkpoint of the log, which an admin's export must extend

Exit codes: 0 valid, 1 tampered, 2 not verified.`;

const HEADER = 'type,format,scope,userId,from,to,exportedAt,verifierKey,checkpoint';
const CHANGE =
  'type,id,createdAt,userId,table,recordId,action,actorKind,actorId,requestId,operation,transactionId,' +
  'oldValues,newValues,reason,ipAddress,salt,valuesHash,addressHash';
const EVENT = 'type,id,createdAt,userId,eventType,success,transactionId,ipAddress,details,userAgent,salt,detailsHash';
const ENTRIES = 'type,start,entries';
const END = 'type,rows,sha256';
const ENTRY_BYTES = 49;
const DAY = 86_400_000_000n;
const EPOCH = BigInt(Date.UTC(2000, 0, 1)) * 1000n;
const MAX_SHOWN = 20;

/** The export cannot be verified. */
class Refusal extends Error {}

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const hashLeaf = (entry) => sha256(Buffer.from([0]), entry);
const hashNode = (left, right) => sha256(Buffer.from([1]), left, right);

/** Follows an inclusion proof of RFC 6962, section 2.1.1. @returns {Buffer | undefined} the root, if the path fits */
function followProof(leaf, index, size, path) {
  if (size === 1) return index === 0 && path.length === 0 ? leaf : undefined;
  if (path.length === 0 || index >= size) return undefined;
  let left = 1;
  while (left * 2 < size) left *= 2;
  const rest = path.slice(0, -1);
  const sibling = path.at(-1);
  const isLeft = index < left;
  const root = isLeft ? followProof(leaf, index, left, rest) : followProof(leaf, index - left, size - left, rest);
  return root && (isLeft ? hashNode(root, sibling) : hashNode(sibling, root));
}

/** Reads a verifier key of Ed25519: `name+id+key`. */
function readKey(text) {
  const [name, id, encoded, ...others] = text.split('+');
  const bytes = Buffer.from([encoded, ...others].join('+'), 'base64');
  const isOfKey = sha256(`${name}\n`, bytes).subarray(0, 4).toString('hex') === id;
  if (!name || bytes.length !== 33 || bytes[0] !== 1 || !isOfKey) throw new Refusal(`--key ${text} is no verifier key`);
  const x = bytes.subarray(1).toString('base64url');
  return { text, name, id, key: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }) };
}

/** Reads a checkpoint that one of the keys has signed. @throws {Refusal} when none has */
function readCheckpoint(note, keys, what) {
  const end = note.lastIndexOf('\n\n');
  const text = note.slice(0, end + 1);
  const isSigned = keys.some(({ name, id, key }) =>
    note
      .slice(end + 2)
      .split('\n')
      .some((line) => {
        const [dash, signer, encoded = '', ...others] = line.split(' ');
        const bytes = Buffer.from(encoded, 'base64');
        if (dash !== '\u2014' || signer !== name || others.length > 0 || bytes.length !== 68) return false;
        return bytes.subarray(0, 4).toString('hex') === id && verify(null, Buffer.from(text), key, bytes.subarray(4));
      }),
  );
  if (end < 0 || !isSigned) throw new Refusal(`${what} is not signed by the given key`);
  const [origin, size, root, ...extension] = text.split('\n');
  const floors = /^floors (\d+) (\d+)$/.exec(extension[0]) ?? [];
  const floor = { change: Number(floors[1] ?? 0), event: Number(floors[2] ?? 0) };
  return { origin, size: Number(size), root: Buffer.from(root, 'base64'), floor };
}

/** @returns {Buffer | undefined} bytes of hexadecimal digits; undefined for another form or length */
const readHex = (text, length) =>
  typeof text === 'string' && text.length === 2 * length && /^[0-9a-f]*$/.test(text)
    ? Buffer.from(text, 'hex')
    : undefined;

/** @returns {bigint | undefined} microseconds since 2000; undefined for another form */
function readTime(text) {
  const [, seconds, fraction] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})Z$/.exec(text) ?? [];
  const ms = Date.parse(`${seconds}Z`);
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== seconds) return undefined;
  return BigInt(ms) * 1000n + BigInt(fraction) - EPOCH;
}

const isId = (value) => Number.isSafeInteger(value);
const isNull = (...values) => values.every((value) => value === null);
/** A text that is not empty. The separators of the hashed bytes are excluded, so that nothing moves between columns. */
const isText = (value, excluded) => typeof value === 'string' && value !== '' && !value.includes(excluded);

/** Each function returns whether the columns of a row have their forms. */
const FORMS = {
  change: (row) => {
    const ids = [row.userId, row.recordId, row.actorId].every((id) => id === null || isId(id));
    const texts = [row.table, row.action, row.actorKind, row.transactionId].every((text) => isText(text, '\x1f'));
    const optional = [row.requestId, row.operation].every((text) => text === null || isText(text, '\x1f'));
    const values = [row.oldValues, row.newValues].every((text) => text === null || isText(text, '\n'));
    const rest = [row.reason, row.ipAddress].every((text) => text === null || isText(text, '\0'));
    return ids && texts && optional && values && rest;
  },
  event: (row) => {
    const texts = [row.eventType, row.transactionId].every((text) => isText(text, '\x1f'));
    const optional = [row.ipAddress, row.details].every((text) => text === null || isText(text, '\n'));
    const agent = row.userAgent === null || isText(row.userAgent, '\0');
    return (row.userId === null || isId(row.userId)) && typeof row.success === 'boolean' && texts && optional && agent;
  },
};

/** The erasure of any user explains what is gone from an event without a user. */
const ANY_USER = -1;

/** Each function returns the hash over the columns, and the id of the user whose erasure explains what is gone. */
const HASHES = {
  change: (row, scope) => {
    const columns = [row.userId, row.table, row.recordId, row.action, row.actorKind, row.actorId, row.requestId];
    const text = [...columns, row.operation, row.transactionId].map((value) => value ?? '').join('\x1f');
    const kept = hashChangeParts(row, scope);
    return kept && { ...kept, hash: sha256(text, '\x1f', kept.values, '\x1f', kept.address) };
  },
  event: (row) => {
    const isErased = row.detailsHash !== null;
    const salt = isErased ? undefined : readHex(row.salt, 16);
    const kept = [row.ipAddress, row.details, row.userAgent];
    const details = isErased ? readHex(row.detailsHash, 32) : salt && sha256(salt, kept.map((v) => v ?? '').join('\n'));
    if (!details || (isErased && !isNull(row.salt, ...kept))) return undefined;
    const text = [row.userId ?? '', row.eventType, row.success ? 't' : 'f', row.transactionId].join('\x1f');
    return { hash: sha256(text, '\x1f', details), erasedUser: isErased ? (row.userId ?? ANY_USER) : undefined };
  },
};

/** Returns the hashes of values and address; undefined when something is gone that no erasure deletes. */
function hashChangeParts(row, scope) {
  const isHidden = scope === 'account' && (row.actorId === null || row.actorId !== row.userId);
  const addressHash = row.addressHash === null ? Buffer.alloc(0) : readHex(row.addressHash, 32);
  if (!addressHash) return undefined;
  if (row.valuesHash !== null) {
    const values = readHex(row.valuesHash, 32);
    const isErased = isNull(row.oldValues, row.newValues, row.reason, row.ipAddress, row.salt);
    return isErased && values && { values, address: addressHash, erasedUser: row.userId };
  }
  const isWhole = row.addressHash === null && !isHidden;
  const salt = readHex(row.salt, isWhole ? 32 : 16);
  if (!salt || (!isWhole && row.ipAddress !== null)) return undefined;
  const parts = [row.oldValues, row.newValues, row.reason].map((value) => value ?? '');
  const values = sha256(salt.subarray(0, 16), parts.join('\n'));
  const address = row.ipAddress === null ? addressHash : sha256(salt.subarray(16), row.ipAddress);
  return { values, address, erasedUser: isWhole || isHidden ? undefined : row.actorId };
}

/** All entries of the log, by which deleted rows are found. */
class Tree {
  entries = [];
  subtrees = [];
  indexes = { change: new Map(), event: new Map() };
  seen = new Set();

  get size() {
    return this.entries.length;
  }

  add(entry) {
    let [hash, width] = [hashLeaf(entry), 1];
    for (; this.subtrees.at(-1)?.width === width; width *= 2) hash = hashNode(this.subtrees.pop().hash, hash);
    this.subtrees.push({ hash, width });
    this.indexes[typeOf(entry)]?.set(entry.readBigInt64BE(1), this.size);
    this.entries.push(entry);
  }

  root() {
    const hashes = this.subtrees.map(({ hash }) => hash);
    return hashes.length === 0 ? sha256() : hashes.reduceRight((right, left) => hashNode(left, right));
  }
}

/** The order of the types of lines. */
const RANKS = ['header', 'entries', 'evidence', 'event', 'change', 'end'];
const LETTERS = { change: 0x61, event: 0x73 };
const TABLES = { change: 'audit_logs', event: 'security_logs' };
const FORGOTTEN = 'audit.forgotten';
const REMOVED = 'audit.removed';
/** No setting removes younger rows. */
const LEAST_AGE = { change: 365n * DAY, event: 30n * DAY };

const typeOf = (entry) => Object.keys(LETTERS).find((type) => LETTERS[type] === entry[0]);

/** Verifies the lines of an export, one after the other. */
class Verification {
  counts = { valid: 0, erased: 0, unsealed: 0, removed: 0 };
  problems = 0;
  shown = [];
  digest = createHash('sha256');
  line = 0;
  rank = 0;
  rows = 0;
  last = undefined;
  isComplete = false;
  tree = new Tree();
  /** Users whose erasure is on record, and the times before which rows of a log were removed. */
  forgotten = new Set();
  removedBefore = {};
  /** Places of rows with erased values, by the user whose erasure explains them. */
  erased = new Map();

  constructor(keys, heads) {
    this.keys = keys;
    this.heads = heads;
  }

  report(problem, place = '', line = this.line) {
    this.problems += 1;
    if (this.shown.length < MAX_SHOWN) this.shown.push(`line ${line}${place && `, ${place}`}: ${problem}`);
  }

  add(line) {
    this.line += 1;
    if (this.line === 1) return this.begin(line);
    if (this.isComplete) return this.report('it is after the last line');
    const members = readLine(line);
    const rank = RANKS.indexOf(members?.type);
    const isOfScope = this.header.scope === 'installation' || ['change', 'end'].includes(members?.type);
    if (rank !== RANKS.indexOf('end')) this.digest.update(`${line}\n`);
    if (rank < 1 || !isOfScope) return this.report('it is no line of this export');
    if (rank < this.rank) this.report(`a line of type ${members.type} must be earlier`);
    if (rank > this.rank) this.last = undefined;
    if (this.rank < 2 && rank > 1) this.verifyTree();
    this.rank = Math.max(rank, this.rank);
    if (members.type === 'end') return this.end(members);
    return members.type === 'entries' ? this.addEntries(members) : this.addRow(members);
  }

  begin(line) {
    this.digest.update(`${line}\n`);
    const header = readLine(line);
    if (header?.format !== 'gigvault-audit-export/1') throw new Refusal('the file is no export of format ndjson');
    if (Object.keys(header).join() !== HEADER || !isHeader(header)) this.report('the header is not of its form');
    if (!this.keys.some(({ text }) => text === header.verifierKey))
      throw new Refusal('the export names another key than the given one');
    this.header = header;
    this.checkpoint = readCheckpoint(String(header.checkpoint), this.keys, 'the checkpoint of the export');
    if (this.heads.length > 0 && header.scope !== 'installation')
      throw new Refusal("--head needs an admin's export, which has all entries of the log");
    for (const { origin, size } of this.heads) {
      if (origin !== this.checkpoint.origin) throw new Refusal(`the checkpoint of --head is of the log ${origin}`);
      if (size > this.checkpoint.size) this.report(`the log was cut: it had ${size} entries`);
    }
  }

  addEntries(members) {
    const bytes = Buffer.from(String(members.entries), 'base64');
    const isOfForm = Object.keys(members).join() === ENTRIES && bytes.toString('base64') === members.entries;
    if (!isOfForm || bytes.length % ENTRY_BYTES !== 0 || members.start !== this.tree.size)
      return this.report('the entries are not of their form');
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      this.tree.add(bytes.subarray(at, at + ENTRY_BYTES));
      for (const { size, root } of this.heads)
        if (size === this.tree.size && !root.equals(this.tree.root()))
          this.report(`the log was rewritten before its entry ${size}`);
    }
  }

  verifyTree() {
    if (this.header.scope !== 'installation') return;
    const { size, root } = this.checkpoint;
    if (size !== this.tree.size || !root.equals(this.tree.root()))
      this.report('the entries before it are not those of the checkpoint');
    const distinct = Object.values(this.tree.indexes).reduce((sum, { size: count }) => sum + count, 0);
    if (distinct !== this.tree.size) this.report('an entry before it is of no log, or of a row that was sealed twice');
  }

  addRow(row) {
    const type = row.type === 'evidence' ? 'event' : row.type;
    const place = `${TABLES[type]} ${row.id}`;
    const isOfAccount = this.header.scope === 'account';
    const form = (type === 'event' ? EVENT : CHANGE) + (isOfAccount ? ',leafIndex,proof' : '');
    const createdAt = readTime(row.createdAt);
    if (row.type !== 'evidence') this.rows += 1;
    if (Object.keys(row).join() !== form || !isId(row.id) || !FORMS[type](row) || createdAt === undefined)
      return this.report('the row is not of its form', place);
    this.verifyOrder(row, createdAt, place);
    const hashes = HASHES[type](row, this.header.scope);
    if (!hashes) return this.report('a part of it is gone that no erasure deletes', place);
    const prefix = Buffer.alloc(17, LETTERS[type]);
    prefix.writeBigInt64BE(BigInt(row.id), 1);
    prefix.writeBigInt64BE(createdAt, 9);
    const entry = Buffer.concat([prefix, hashes.hash]);
    const state = isOfAccount ? this.verifyProof(row, entry) : this.verifyEntry(row, type, entry);
    if (state !== 'sealed' && state !== 'unsealed') return this.report(state, place);
    if (hashes.erasedUser !== undefined) {
      const places = this.erased.get(hashes.erasedUser) ?? [];
      this.erased.set(hashes.erasedUser, places);
      places.push([place, this.line]);
    }
    if (state === 'sealed' && type === 'event') this.learn(row, createdAt);
    if (row.type === 'evidence') return;
    if (state === 'unsealed') this.counts.unsealed += 1;
    else if (hashes.erasedUser === undefined) this.counts.valid += 1;
    else this.counts.erased += 1;
  }

  verifyOrder(row, createdAt, place) {
    const { last, header } = this;
    if (last && (createdAt < last.createdAt || (createdAt === last.createdAt && row.id <= last.id)))
      this.report('it is not after the row before it', place);
    this.last = { createdAt, id: row.id };
    const isEvidence = row.type === 'evidence' && [FORGOTTEN, REMOVED].includes(row.eventType);
    const isOfUser = header.scope !== 'account' || row.userId === header.userId;
    if (
      this.isInRange(createdAt) !== (row.type !== 'evidence') ||
      (row.type === 'evidence' && !isEvidence) ||
      !isOfUser
    )
      this.report('it is not of this export', place);
  }

  isInRange(createdAt) {
    const limit = (time) => BigInt(Date.parse(time)) * 1000n - EPOCH;
    const { from, to } = this.header;
    return (from === null || createdAt >= limit(from)) && (to === null || createdAt < limit(to));
  }

  /** @returns {string} sealed, unsealed, or what is wrong */
  verifyProof({ id, leafIndex, proof }, entry) {
    const { size, root, floor } = this.checkpoint;
    if (leafIndex === null && proof === null)
      return id <= floor.change ? 'it has no proof, although it must be sealed' : 'unsealed';
    const path = Array.isArray(proof) ? proof.map((hash) => Buffer.from(String(hash), 'base64')) : [];
    const isProof = isId(leafIndex) && leafIndex >= 0 && path.every((hash, i) => hash.toString('base64') === proof[i]);
    const found = isProof && followProof(hashLeaf(entry), leafIndex, size, path);
    return found && found.equals(root) ? 'sealed' : 'it is not the row that was sealed';
  }

  /** @returns {string} sealed, unsealed, or what is wrong */
  verifyEntry({ type: lineType, id }, type, entry) {
    const index = this.tree.indexes[type].get(BigInt(id));
    if (index === undefined)
      return id <= this.checkpoint.floor[type] || lineType === 'evidence' ? 'it was inserted later' : 'unsealed';
    this.tree.seen.add(index);
    return this.tree.entries[index].equals(entry) ? 'sealed' : 'it is not the row that was sealed';
  }

  /** Notes what a sealed event explains. */
  learn({ eventType, userId, details }, createdAt) {
    if (eventType === FORGOTTEN) this.forgotten.add(userId).add(ANY_USER);
    if (eventType !== REMOVED || userId !== null || details === null) return;
    const { log, before } = JSON.parse(details);
    const type = { audit: 'change', security: 'event' }[log];
    if (type && isId(before) && BigInt(before) <= createdAt - LEAST_AGE[type])
      this.removedBefore[type] = Math.max(before, this.removedBefore[type] ?? -Infinity);
  }

  end(members) {
    this.isComplete = true;
    this.sha256 = this.digest.digest('hex');
    const isEnd = Object.keys(members).join() === END && members.rows === this.rows;
    if (!isEnd || members.sha256 !== this.sha256) this.report('the file is not as it was exported');
    for (const [userId, places] of this.erased)
      if (!this.forgotten.has(userId))
        for (const [place, line] of places) this.report('its values are gone without an erasure', place, line);
    this.tree.entries.forEach((entry, index) => this.verifyPresence(entry, index));
  }

  verifyPresence(entry, index) {
    const type = typeOf(entry);
    const createdAt = entry.readBigInt64BE(9);
    if (!type || this.tree.seen.has(index) || !this.isInRange(createdAt)) return;
    if (createdAt < (this.removedBefore[type] ?? -Infinity)) this.counts.removed += 1;
    else this.report('it was deleted', `${TABLES[type]} ${entry.readBigInt64BE(1)}`);
  }

  /** @returns {number} the exit code */
  finish(isEnded, print) {
    if (!this.header) throw new Refusal('the file is empty');
    if (!this.isComplete || !isEnded) this.report('the file ends early');
    for (const text of this.shown) print(`tampered: ${text}`);
    if (this.problems > this.shown.length) print(`… ${this.problems} problems in all`);
    const { valid, erased, unsealed, removed } = this.counts;
    const age = removed > 0 ? `, ${removed} deleted because of their age` : '';
    print(`${valid} rows valid, ${erased} erased, ${unsealed} not sealed yet${age}`);
    const { origin, size } = this.checkpoint;
    print(`log ${origin} with ${size} entries; SHA-256 of the export ${this.sha256 ?? 'unknown'}`);
    return this.problems === 0 ? 0 : 1;
  }
}

function isHeader({ type, scope, userId, from, to, exportedAt }) {
  const times = [exportedAt, ...[from, to].filter((time) => time !== null)];
  if (!times.every((time) => typeof time === 'string' && !Number.isNaN(Date.parse(time)))) return false;
  return type === 'header' && (scope === 'account' ? isId(userId) : scope === 'installation' && userId === null);
}

/** @returns the members of a line; undefined when it is not written as the server writes it */
function readLine(line) {
  try {
    const members = JSON.parse(line);
    return typeof members === 'object' && JSON.stringify(members) === line ? members : undefined;
  } catch {
    return undefined;
  }
}

/** Reads lines that end with a line feed only: other ends of lines may be in texts. */
async function* readLines(path) {
  let rest = '';
  for await (const chunk of createReadStream(path, 'utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    yield* lines;
  }
  if (rest !== '') yield rest;
  return rest === '';
}

/**
 * Verifies an export.
 * @param {string[]} args the arguments of the command
 * @param {(text: string) => void} print receives each line of the result
 * @returns {Promise<number>} the exit code
 */
async function run(args, print) {
  const text = { type: 'string' };
  const options = { export: text, key: { ...text, multiple: true }, head: { ...text, multiple: true } };
  const { values } = parseArgs({ args, options });
  if (!values.export || !values.key) throw new Refusal(USAGE);
  const keys = values.key.map(readKey);
  const heads = (values.head ?? []).map((path) => readCheckpoint(readFileSync(path, 'utf8'), keys, path));
  const verification = new Verification(keys, heads);
  const lines = readLines(values.export);
  let next = await lines.next();
  for (; !next.done; next = await lines.next()) verification.add(next.value);
  return verification.finish(next.value, print);
}

module.exports = { run };

if (require.main === module) {
  run(process.argv.slice(2), (text) => process.stdout.write(`${text}\n`)).then(
    (code) => (process.exitCode = code),
    (error) => {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 2;
    },
  );
}

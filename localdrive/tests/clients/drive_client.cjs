// Google's own Node client against the server at DRIVE_URL. Prints `ok` when all went as on Google's Drive.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { Readable } = require('node:stream');
const { auth, drive: driveOf } = require('@googleapis/drive');

const URL_ = process.env.DRIVE_URL;
const FOLDER = 'application/vnd.google-apps.folder';
const MIB = 1024 * 1024;
// The client's own rootUrl isn't used for uploads; that of a call is.
const HERE = { rootUrl: `${URL_}/` };

function client(token) {
  const oauth = new auth.OAuth2({ clientId: 'client', clientSecret: 'secret', endpoints: { oauth2TokenUrl: `${URL_}/token` } });
  // Without an access token the client has to refresh first.
  oauth.setCredentials({ refresh_token: token });
  return { oauth, drive: driveOf({ version: 'v3', auth: oauth, ...HERE }) };
}

async function refused(call, status, reason) {
  await assert.rejects(call, (error) => {
    assert.equal(error.response.status, status);
    assert.equal(error.response.data.error.errors[0].reason, reason);
    return true;
  });
}

async function download(drive, fileId, headers = {}) {
  const answer = await drive.files.get({ fileId, alt: 'media' }, { responseType: 'arraybuffer', headers });
  return Buffer.from(answer.data);
}

async function follow(drive, pageToken) {
  const changes = [];
  for (;;) {
    const { data } = await drive.changes.list({ pageToken, pageSize: 2, fields: '*' });
    changes.push(...data.changes);
    if (!data.nextPageToken) return changes;
    pageToken = data.nextPageToken;
  }
}

// The protocol of resumable uploads, sent through the client's own authorized transport.
async function resumable(oauth, name, parent, content, chunk) {
  const start = await oauth.request({
    method: 'POST',
    url: `${URL_}/upload/drive/v3/files?uploadType=resumable&fields=*`,
    headers: { 'X-Upload-Content-Length': String(content.length), 'X-Upload-Content-Type': 'application/octet-stream' },
    data: { name, parents: [parent] },
  });
  const url = start.headers.get('location');
  for (let at = 0; ; at += chunk) {
    const piece = content.subarray(at, at + chunk);
    const answer = await oauth.request({
      method: 'PUT',
      url,
      headers: { 'Content-Range': `bytes ${at}-${at + piece.length - 1}/${content.length}` },
      body: piece,
      validateStatus: (status) => status === 200 || status === 308,
      maxRedirects: 0,
    });
    if (answer.status === 200) return answer.data;
    assert.equal(answer.headers.get('range'), `bytes=0-${at + piece.length - 1}`);
  }
}

async function main() {
  const { oauth, drive: ann } = client(process.env.ANN_TOKEN);
  const { drive: bob } = client(process.env.BOB_TOKEN);
  const about = await ann.about.get({ fields: 'user(emailAddress)' });
  assert.deepEqual(about.data, { user: { emailAddress: 'ann@x.org' } });
  const annToken = (await ann.changes.getStartPageToken({})).data.startPageToken;
  const bobToken = (await bob.changes.getStartPageToken({})).data.startPageToken;

  const folder = (await ann.files.create({ requestBody: { name: 'SyftBox', mimeType: FOLDER } })).data.id;
  const ids = (await ann.files.generateIds({ count: 2 })).data.ids;
  const inbox = { id: ids[0], name: 'inbox', mimeType: FOLDER, parents: [folder] };
  assert.equal((await ann.files.create({ requestBody: inbox })).data.id, ids[0]);
  await refused(() => ann.files.create({ requestBody: inbox }), 409, 'fileIdInUse');

  const small = await ann.files.create({
    requestBody: { name: 'small', parents: [folder] },
    media: { mimeType: 'text/plain', body: 'hello' },
    fields: 'id,size,mimeType',
  }, HERE);
  assert.deepEqual(small.data, { id: small.data.id, size: '5', mimeType: 'text/plain' });
  assert.equal((await download(ann, small.data.id)).toString(), 'hello');
  assert.equal((await download(ann, small.data.id, { Range: 'bytes=1-2' })).toString(), 'el');

  const content = crypto.createHash('sha256').update('block').digest();
  const large = Buffer.alloc(50 * MIB, content);
  for (let at = 0; at < 50; at += 1) large.writeUInt32BE(at, at * MIB);
  const uploaded = await resumable(oauth, 'large', folder, large, 8 * MIB);
  assert.equal(uploaded.md5Checksum, crypto.createHash('md5').update(large).digest('hex'));
  assert.ok((await download(ann, uploaded.id)).equals(large));
  const streamed = await ann.files.update({
    fileId: uploaded.id,
    requestBody: { name: 'streamed' },
    media: { mimeType: 'application/octet-stream', body: Readable.from([large, Buffer.from('end')]) },
    fields: 'name,size',
  }, HERE);
  assert.deepEqual(streamed.data, { name: 'streamed', size: String(50 * MIB + 3) });

  const list = await ann.files.list({ q: `'${folder}' in parents and trashed = false`, orderBy: 'name', fields: 'files/name' });
  assert.deepEqual(list.data, { files: [{ name: 'inbox' }, { name: 'small' }, { name: 'streamed' }] });
  const paged = [];
  let pageToken;
  do {
    const page = await ann.files.list({ pageSize: 1, pageToken });
    paged.push(...page.data.files);
    pageToken = page.data.nextPageToken;
  } while (pageToken);
  assert.equal(paged.length, 4);
  await refused(() => ann.files.list({ q: 'nonsense' }), 400, 'invalid');

  await refused(() => bob.files.get({ fileId: small.data.id }), 404, 'notFound');
  const writer = { type: 'user', role: 'writer', emailAddress: 'bob@x.org' };
  await ann.permissions.create({ fileId: ids[0], requestBody: writer, sendNotificationEmail: false });
  assert.equal((await bob.files.list({ q: 'sharedWithMe' })).data.files[0].id, ids[0]);
  const permissions = await ann.permissions.list({ fileId: ids[0], fields: 'permissions(role,emailAddress)' });
  assert.deepEqual(permissions.data.permissions[1], { role: 'writer', emailAddress: 'bob@x.org' });
  const message = await bob.files.create({
    requestBody: { name: 'msg', parents: [ids[0]] },
    media: { body: 'message' },
  }, HERE);
  const archive = (await ann.files.create({ requestBody: { name: 'archive', mimeType: FOLDER } })).data.id;
  const moved = await ann.files.update({
    fileId: message.data.id,
    addParents: archive,
    removeParents: ids[0],
    fields: 'parents,ownedByMe',
  });
  assert.deepEqual(moved.data, { parents: [archive], ownedByMe: false });

  await ann.files.delete({ fileId: small.data.id });
  const state = new Map((await follow(ann, annToken)).map((change) => [change.fileId, change.removed]));
  assert.equal(state.get(small.data.id), true);
  assert.equal(state.get(message.data.id), false);
  const seen = (await follow(bob, bobToken)).map((change) => change.fileId);
  assert.deepEqual(new Set(seen), new Set([ids[0], message.data.id]));
  await ann.files.delete({ fileId: folder });
  await refused(() => ann.files.get({ fileId: folder }), 404, 'notFound');
  console.log('ok');
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

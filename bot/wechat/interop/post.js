// Posts a message from standard input to a webhook in safe mode, by means of
// wechat-crypto alone, and prints what came back as JSON:
//   node post.js URL TOKEN ENCODING_AES_KEY APP_ID
'use strict';

const WXBizMsgCrypt = require('wechat-crypto');

const [url, token, key, appId] = process.argv.slice(2);
const crypt = new WXBizMsgCrypt(token, key, appId);

function cdata(xml, name) {
  const found = new RegExp(`<${name}>(?:<!\\[CDATA\\[)?(.*?)(?:\\]\\]>)?</${name}>`).exec(xml);
  if (!found) throw new Error(`no ${name} in ${xml}`);
  return found[1];
}

async function post(message, tamper) {
  const encrypt = crypt.encrypt(message);
  const timestamp = String(Math.floor(Date.now() / 1000));
  const nonce = String(Math.floor(Math.random() * 1e10));
  const query = new URLSearchParams({
    timestamp, nonce, encrypt_type: 'aes', msg_signature: crypt.getSignature(timestamp, nonce, encrypt),
  });
  const sent = tamper ? crypt.encrypt(message + ' ') : encrypt;
  return fetch(`${url}?${query}`, {
    method: 'POST',
    headers: { 'Content-Type': 'text/xml' },
    body: `<xml><ToUserName><![CDATA[gh_123]]></ToUserName><Encrypt><![CDATA[${sent}]]></Encrypt></xml>`,
  });
}

async function main() {
  let message = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) message += chunk;
  const answer = await post(message, false);
  const xml = await answer.text();
  const encrypt = cdata(xml, 'Encrypt');
  const reply = crypt.decrypt(encrypt);
  const tampered = await post(message, true);
  console.log(JSON.stringify({
    status: answer.status,
    id: reply.id,
    message: reply.message,
    signatureFits: cdata(xml, 'MsgSignature') === crypt.getSignature(cdata(xml, 'TimeStamp'), cdata(xml, 'Nonce'), encrypt),
    tamperedStatus: tampered.status,
  }));
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});

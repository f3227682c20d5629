// Clients that nobody here wrote, for the interop tests: oauth4webapi,
// openid-client, dpop and jose get tokens and call APIs with them.
//
//   node client.mjs IDENTITIES.json
//
// The file holds {"ca": PEM, "certificates": {"NAME": {"cert": PEM, "key": PEM}}}:
// the authority of all servers, and client certificates. Each line of stdin is a
// command in JSON, each line of stdout its answer:
//
//   do           "token" gets an access token, "call" calls an API with one
//   library      who does it
//   issuer, client
//   key          ALG/NAME: the key that signs proofs; none: no proofs
//   certificate  NAME; none: none
//   skew         seconds by which the clock is wrong that calls are made by
//   resource, scope     of a token
//   token, url, method  of a call
//   meddle       {url, method, again}: what somebody on the way does to a call:
//                send it elsewhere, with another method, or twice
//
// An answer is a token; or status, body and, where the library reads challenges,
// those; or an error. nonces has that of each proof on its way, "" for none. It
// ends with stdin.
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { inspect } from 'node:util';

import * as dpop from 'dpop';
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { Agent, fetch } from 'undici';

const secret = 'interop-on-loopback-only';
const { ca, certificates } = JSON.parse(readFileSync(process.argv[2], 'utf8'));

// once remembers what was made for each of these names.
function once(make) {
  const made = new Map();
  return (...names) => {
    const all = JSON.stringify(names);
    if (!made.has(all)) made.set(all, make(...names));
    return made.get(all);
  };
}

const agent = once((certificate) => new Agent({ connect: { ca, ...certificates[certificate] } }));
const keyPair = once((name) => dpop.generateKeyPair(name.split('/')[0], { extractable: true }));

// wire is the fetch of one command; it writes down the nonces.
function wire({ certificate, meddle = {} }, nonces) {
  return async (url, init) => {
    const proof = new Headers(init.headers).get('dpop');
    if (proof) nonces.push(jose.decodeJwt(proof).nonce ?? '');
    const send = () => fetch(meddle.url ?? url, {
      ...init, method: meddle.method ?? init.method, dispatcher: agent(certificate),
    });
    if (meddle.again) await (await send()).text();
    return send();
  };
}

const form = ({ resource, scope }) => new URLSearchParams({ grant_type: 'client_credentials', resource, scope });

// oauth4webapi leaves it to the caller to repeat what was refused for want of a
// nonce.
const again = (attempt) => attempt().catch((err) => {
  if (!oauth.isDPoPNonceError(err)) throw err;
  return attempt();
});
const oauthHandle = once(async (client, key, skew) => oauth.DPoP(
  { client_id: client, [oauth.clockSkew]: skew }, await keyPair(key),
));
const oauth4webapi = {
  async token({ issuer, client, key, ...command }, customFetch) {
    const options = { [oauth.customFetch]: customFetch, DPoP: key && await oauthHandle(client, key, 0) };
    const url = new URL(issuer);
    const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options));
    const self = { client_id: client };
    return again(async () => oauth.processClientCredentialsResponse(as, self,
      await oauth.clientCredentialsGrantRequest(as, self, oauth.ClientSecretBasic(secret), form(command), options)));
  },
  async call({ client, key, skew, token, method, url }, customFetch) {
    const options = { [oauth.customFetch]: customFetch, DPoP: key && await oauthHandle(client, key, skew) };
    return again(() => oauth.protectedResourceRequest(token, method, new URL(url), undefined, undefined, options));
  },
};

// openid-client repeats by itself.
const configuration = once((issuer, client, skew) => openid.discovery(
  new URL(issuer), client, { [openid.clockSkew]: skew }, openid.ClientSecretBasic(secret),
  { [openid.customFetch]: wire({}, []) },
));
const openidHandle = once(async (issuer, client, skew, key) => openid.getDPoPHandle(
  await configuration(issuer, client, skew), await keyPair(key),
));
async function prepared({ issuer, client, key }, skew, customFetch) {
  const config = await configuration(issuer, client, skew);
  config[openid.customFetch] = customFetch;
  return [config, { DPoP: key && await openidHandle(issuer, client, skew, key) }];
}
const openidClient = {
  async token(command, customFetch) {
    const [config, options] = await prepared(command, 0, customFetch);
    return openid.clientCredentialsGrant(config, form(command), options);
  },
  async call({ token, url, method, ...command }, customFetch) {
    const [config, options] = await prepared(command, command.skew, customFetch);
    return openid.fetchProtectedResource(config, token, new URL(url), method, undefined, undefined, options);
  },
};

// proofs makes a client of what makes proofs and nothing else.
function proofs(sign) {
  const nonces = new Map(); // by key and origin
  async function send(url, method, { key, skew, token, ...init }, customFetch) {
    const place = key + new URL(url).origin;
    const attempt = async () => {
      const headers = { ...init.headers };
      if (token) headers.authorization = `${key ? 'DPoP' : 'Bearer'} ${token}`;
      if (key) headers.dpop = await sign(key, { url, method, nonce: nonces.get(place), token, skew });
      const response = await customFetch(url, { ...init, method, headers });
      const nonce = response.headers.get('dpop-nonce');
      if (nonce) nonces.set(place, nonce);
      return response;
    };
    const response = await attempt();
    const wanted = response.headers.get('www-authenticate') ?? await response.clone().text();
    return wanted.includes('use_dpop_nonce') ? attempt() : response;
  }
  return {
    async token({ issuer, client, key, ...command }, customFetch) {
      const headers = { authorization: `Basic ${btoa(`${client}:${secret}`)}` };
      const response = await send(`${issuer}/token`, 'POST', { key, skew: 0, headers, body: form(command) }, customFetch);
      return response.json();
    },
    call: ({ key, skew, token, url, method }, customFetch) => send(url, method, { key, skew, token }, customFetch),
  };
}

const ofDpop = async (key, { url, method, nonce, token }) => dpop.generateProof(
  await keyPair(key), url, method, nonce, token, // its clock is always right
);
const ofJose = async (key, { url, method, nonce, token, skew }) => {
  const { publicKey, privateKey } = await keyPair(key);
  const ath = token && createHash('sha256').update(token).digest('base64url');
  return new jose.SignJWT({ jti: randomUUID(), htm: method, htu: url, nonce, ath })
    .setIssuedAt(Math.floor(Date.now() / 1000) + skew)
    .setProtectedHeader({ typ: 'dpop+jwt', alg: key.split('/')[0], jwk: await jose.exportJWK(publicKey) })
    .sign(privateKey);
};

const libraries = { oauth4webapi, 'openid-client': openidClient, dpop: proofs(ofDpop), jose: proofs(ofJose) };

async function answer(command) {
  const nonces = [];
  try {
    const result = await libraries[command.library][command.do](command, wire(command, nonces));
    if (command.do === 'token') return { token: result.access_token, error: result.error, nonces };
    return { status: result.status, body: await result.text(), nonces };
  } catch (err) {
    if (err instanceof oauth.WWWAuthenticateChallengeError) return { status: err.status, challenges: err.cause, nonces };
    return { error: inspect(err), nonces };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer({ skew: 0, ...JSON.parse(line) })));
}
process.exit(0);

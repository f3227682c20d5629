// A real authorization server for the interop tests: oidc-provider on loopback,
// with JWT and opaque access tokens for client_credentials, bound to a key (DPoP),
// to a certificate (mTLS) or to nothing, introspection (RFC 7662, RFC 9701) and
// revocation.
//
//   node server.mjs PORT KEYS.json
//
// PORT 0 picks a free one. The file holds {"keys": [private JWK, ...],
// "sign": {"RS256": "kid", ...}, "api": [public JWK, ...], "tls": {"cert": PEM,
// "key": PEM}}: all keys are published, "sign" names the one that signs, "api"
// are the API's own keys for private_key_jwt. With "tls" the server speaks https
// and asks for client certificates. stdout gets `ready PORT` once, then each
// command read on stdin again when it is done:
//
//   keys FILE   other keys, without a restart
//   down        no connections any more, open ones reset; nothing is forgotten
//   up          back on the same port
//
// It ends with stdin.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTLSServer } from 'node:https';
import { createInterface } from 'node:readline';

// The library talks through console.info; stdout belongs to the test.
console.info = console.error;
const { default: Provider, errors } = await import('oidc-provider');

const [port, keyFile] = process.argv.slice(2);
const resource = 'https://api.example.com';
const nonceSecret = randomBytes(32);

// Store keeps what the provider saves. The memory adapter of the library drops
// entries after 1,000; this one holds what a load test makes, oldest out first.
class Store {
  static entries = new Map();
  static limit = 100_000;

  constructor(model) {
    this.model = model;
  }

  async upsert(id, payload) {
    Store.entries.set(`${this.model}:${id}`, payload);
    if (Store.entries.size > Store.limit) {
      Store.entries.delete(Store.entries.keys().next().value);
    }
  }

  async find(id) {
    return Store.entries.get(`${this.model}:${id}`);
  }

  async consume(id) {
    const payload = await this.find(id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    Store.entries.delete(`${this.model}:${id}`);
  }

  // Only interactive flows look entries up this way; none is offered here.
  async findByUid() {}
  async findByUserCode() {}
  async revokeByGrantId() {}
}

// apis are the clients that the API introspects as. Identifier and secret of
// the first need form-encoding before base64 (RFC 6749 section 2.3.1); more
// than VSCHAR is not to be had in either. The second has keys, and gets signed
// answers with the first key for RS256.
function apis(keys) {
  const common = { grant_types: [], response_types: [], redirect_uris: [] };
  const basic = { ...common, client_id: 'urn:api:basic', client_secret: 'a:b c%41+d&e=f/~"\\' };
  if (keys.length === 0) return [basic];
  return [basic, {
    ...common,
    client_id: 'urn:api:keys',
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    introspection_signed_response_alg: 'RS256',
    jwks: { keys },
  }];
}

// caller is a client of the API: a proof in its token request binds its tokens
// to a key, metadata binds them to its certificate.
function caller(client_id, metadata) {
  return {
    client_id,
    client_secret: 'interop-on-loopback-only',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    ...metadata,
  };
}

// provider makes the server anew for a set of keys. The resource indicator may
// end in ?alg=NAME (how to sign), &aud=URL (for whom) and &format=opaque.
function provider(issuer, file) {
  const { keys, sign, api = [] } = JSON.parse(readFileSync(file, 'utf8'));
  return new Provider(issuer, {
    adapter: Store,
    jwks: { keys },
    clients: [
      caller('interop'),
      caller('interop-mtls', { tls_client_certificate_bound_access_tokens: true }),
      ...apis(api),
    ],
    enabledJWA: { dPoPSigningAlgValues: ['ES256', 'Ed25519', 'PS256', 'RS256'] },
    clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
    scopes: ['orders:read', 'orders:write'],
    ttl: { ClientCredentials: 24 * 60 * 60 }, // longer than a test turns its clock
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true, nonceSecret, requireNonce: () => true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        getCertificate: (ctx) => ctx.socket.getPeerX509Certificate?.(),
      },
      introspection: { enabled: true },
      jwtIntrospection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        async getResourceServerInfo(ctx, indicator) {
          const url = new URL(indicator);
          if (url.origin !== resource) throw new errors.InvalidTarget();
          const alg = url.searchParams.get('alg') ?? 'RS256';
          return {
            audience: url.searchParams.get('aud') ?? resource,
            scope: 'orders:read orders:write',
            accessTokenFormat: url.searchParams.get('format') ?? 'jwt',
            jwt: { sign: { alg, kid: sign[alg] } },
          };
        },
      },
    },
  });
}

const { tls } = JSON.parse(readFileSync(keyFile, 'utf8'));
const onRequest = (req, res) => handle(req, res);
let handle;
const server = tls
  ? createTLSServer({ ...tls, requestCert: true, rejectUnauthorized: false }, onRequest)
  : createServer(onRequest);
const listen = (on) => new Promise((done) => server.listen(on, '127.0.0.1', done));
await listen(Number(port));
const bound = server.address().port;

// What the test may ask for; each is answered when it is done.
const commands = {
  keys(file) {
    handle = provider(`${tls ? 'https' : 'http'}://127.0.0.1:${bound}`, file).callback();
  },
  down() {
    const closed = new Promise((done) => server.close(done));
    server.closeAllConnections();
    return closed;
  },
  up() {
    return listen(bound);
  },
};

commands.keys(keyFile);
console.log(`ready ${bound}`);
for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = line.split(/ (.*)/s);
  await commands[command](argument);
  console.log(command);
}
process.exit(0);

// An authorization server for tests: node-oidc-provider on loopback, with rotating refresh tokens. A refresh token that
// comes twice ends its whole family, as RFC 9700 asks for. Prints its port; counts what its token endpoint is asked.
//
//   node server.mjs REDIRECT_URI SECONDS_OF_ACCESS_TOKENS

import http from 'node:http';
import { Provider } from 'oidc-provider';

const [redirectUri, lifetime] = process.argv.slice(2);
const seconds = Number(lifetime);
const listener = http.createServer();
await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${listener.address().port}`;

const person = (id, method) => ({
  client_id: id,
  client_secret: `${id}-s3cret+/=%`,
  token_endpoint_auth_method: method,
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
});
const { client_secret: _, ...publicClient } = person('public', 'none');
const machine = (id, method) => ({
  ...person(id, method), redirect_uris: [], response_types: [], grant_types: ['client_credentials'],
});

const provider = new Provider(issuer, {
  clients: [
    person('basic', 'client_secret_basic'),
    person('post', 'client_secret_post'),
    { ...publicClient, application_type: 'native' },
    machine('machine', 'client_secret_basic'),
    machine('machine-post', 'client_secret_post'),
  ],
  features: { clientCredentials: { enabled: true }, revocation: { enabled: true }, introspection: { enabled: true } },
  scopes: ['openid', 'offline_access', 'read'],
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  pkce: { required: () => true },
  ttl: {
    AccessToken: seconds, ClientCredentials: seconds, AuthorizationCode: 60, Grant: 3600, IdToken: 60,
    Interaction: 600, RefreshToken: 3600, Session: 3600,
  },
  cookies: { keys: ['only for tests'] },
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
});

const asked = [];
const granted = new Set();
provider.on('refresh_token.saved', ({ grantId }) => granted.add(grantId));
let failing = 0;
let slow = 0;
const handle = provider.callback();

async function control(request, response) {
  const url = new URL(request.url, issuer);
  failing = Number(url.searchParams.get('failing') ?? failing);
  slow = Number(url.searchParams.get('slow') ?? slow);
  const token = url.searchParams.get('token') ?? url.searchParams.get('end');
  const found = token ? await provider.AccessToken.find(token) ?? await provider.ClientCredentials.find(token) : null;
  if (url.searchParams.has('end')) await found?.destroy(); // the token alone: to revoke it would end its whole family
  if (url.searchParams.has('forget')) { // every grant, as when a person takes back their consent
    for (const id of granted) await Promise.all([provider.RefreshToken, provider.AccessToken].map((model) => model.revokeByGrantId(id)));
  }
  response.end(JSON.stringify({ asked, active: Boolean(found) }));
}

listener.on('request', (request, response) => {
  if (request.url.startsWith('/_control')) return control(request, response);
  if (!request.url.startsWith('/token')) return handle(request, response);
  const authorization = request.headers.authorization ?? '';
  response.on('finish', () => asked.push({ status: response.statusCode, basic: authorization.startsWith('Basic ') }));
  if (failing > 0) {
    failing -= 1;
    response.statusCode = 500;
    return response.end('out of order');
  }
  return setTimeout(() => handle(request, response), slow);
});
console.log(listener.address().port);

// Drives the npm client open311 through everything that it can do, and prints what
// it got as JSON:
//   node client.js DISCOVERY_URL JURISDICTION API_KEY FORMAT
'use strict';

const Open311 = require('open311');

const [discovery, jurisdiction, apiKey, format] = process.argv.slice(2);
const call = (f) => new Promise((resolve, reject) => f((err, data) => (err ? reject(new Error(`${err}: ${data}`)) : resolve(data))));

(async () => {
  const client = new Open311({ discovery, jurisdiction, apiKey });
  const out = { discovery: await call((done) => client.serviceDiscovery({ cache: true }, done)) };
  client.format = format;
  out.services = await call((done) => client.serviceList(done));
  out.definition = await call((done) => client.serviceDefinition('facilities', done));
  out.created = await call((done) => client.submitRequest({
    service_code: 'facilities', address_string: '东园2号楼', description: '楼道灯不亮了', first_name: '桂英', last_name: '王', phone: '13900002222',
    attributes: { UNIT: '3', ROOM: '402' },
  }, done));
  const id = out.created[0].service_request_id;
  out.one = await call((done) => client.serviceRequest(id, done));
  out.all = await call((done) => client.serviceRequests({ status: 'open' }, done));
  out.some = await call((done) => client.serviceRequests([id], {}, done));
  out.refused = await call((done) => client.submitRequest({ service_code: 'nonsense', address_string: '东园2号楼' }, done)).catch((err) => String(err));
  process.stdout.write(JSON.stringify(out));
})().catch((err) => { console.error(err); process.exit(1); });

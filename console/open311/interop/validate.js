// Validates answers against the schemas. Reads a JSON list of
// {name, format, schema, body} and prints the list of what is wrong.
'use strict';

const fs = require('fs');
const path = require('path');
const Ajv = require('ajv');
const addFormats = require('ajv-formats');
const { validateXML } = require('xmllint-wasm');

const read = (file) => fs.readFileSync(path.join(__dirname, 'schemas', file), 'utf8');

(async () => {
  const ajv = addFormats(new Ajv({ allErrors: true }));
  ajv.addSchema(JSON.parse(read('georeport.json')), 'georeport');
  const xsd = read('georeport.xsd');
  const wrong = [];
  for (const { name, format, schema, body } of JSON.parse(fs.readFileSync(0, 'utf8'))) {
    if (format === 'json') {
      if (!ajv.validate({ $ref: `georeport#/definitions/${schema}` }, JSON.parse(body))) wrong.push(`${name}: ${ajv.errorsText()}`);
      continue;
    }
    const result = await validateXML({ xml: [{ fileName: `${name}.xml`, contents: body }], schema: [xsd] });
    if (!result.valid) wrong.push(`${name}: ${result.rawOutput}`);
  }
  process.stdout.write(JSON.stringify(wrong));
})().catch((err) => { console.error(err); process.exit(1); });

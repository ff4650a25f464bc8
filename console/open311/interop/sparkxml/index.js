// XML to JSON by the Spark convention, with the interface of node-sparkxml: a
// container of one kind of children is a list; texts stay texts.
'use strict';

const { XMLParser } = require('fast-xml-parser');

function spark(nodes) {
  const elements = nodes.filter((n) => !('#text' in n));
  if (elements.length === 0) {
    const text = nodes.map((n) => n['#text']).join('');
    return text === '' ? null : text;
  }
  const names = elements.map((n) => Object.keys(n)[0]);
  const values = elements.map((n, i) => spark(n[names[i]]));
  if (new Set(names).size === 1) return values;
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}

exports.parseXml = (text) => {
  const tree = new XMLParser({ preserveOrder: true, parseTagValue: false, ignoreDeclaration: true }).parse(text);
  return spark(tree[0][Object.keys(tree[0])[0]]);
};

// The one function of xml2json that the client calls: XML to an object.
'use strict';

const { XMLParser } = require('fast-xml-parser');

exports.toJson = (text) => new XMLParser({ parseTagValue: false, ignoreDeclaration: true }).parse(text);

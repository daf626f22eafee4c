import { expect } from 'chai';
import { isLoopback, parseListen, parseOtlpEndpoint, parsePeerAddress } from '#src/config/addresses.js';

describe('Addresses', () => {
  it('to listen on are host:port or [IPv6]:port', () => {
    expect(parseListen('127.0.0.1:8091')).to.deep.equal({ host: '127.0.0.1', port: 8091 });
    expect(parseListen('[::1]:8091')).to.deep.equal({ host: '::1', port: 8091 });
    expect(parseListen('laptop.local:0')).to.deep.equal({ host: 'laptop.local', port: 0 });
    for (const text of [
      '',
      '8091',
      ':8091',
      '::1:8091',
      '[127.0.0.1]:1',
      'a:65536',
      'a:b',
      'http://a:1',
      'a b:1',
    ]) {
      expect(parseListen(text), text).to.equal(null);
    }
  });

  it('of this machine alone are told from those that others reach', () => {
    for (const host of [
      'localhost',
      'LOCALHOST',
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      '0:0:0:0:0:0:0:1',
      '::ffff:127.0.0.1',
    ]) {
      expect(isLoopback(host), host).to.equal(true);
    }
    for (const host of [
      '0.0.0.0',
      '::',
      '192.168.1.2',
      'localhost.example.org',
      '::ffff:10.0.0.1',
      'laptop',
      '128.0.0.1',
    ]) {
      expect(isLoopback(host), host).to.equal(false);
    }
  });

  it('of peers become a base URL without a trailing slash', () => {
    expect(parsePeerAddress('192.168.1.20:8091')).to.equal('http://192.168.1.20:8091');
    expect(parsePeerAddress('macbook:8091')).to.equal('http://macbook:8091');
    expect(parsePeerAddress('[fe80::1]:8091')).to.equal('http://[fe80::1]:8091');
    expect(parsePeerAddress('http://MacBook:8091/')).to.equal('http://macbook:8091');
    expect(parsePeerAddress('https://example.org')).to.equal('https://example.org');
    expect(parsePeerAddress('https://example.org/replica//')).to.equal('https://example.org/replica');
  });

  it('of peers are refused where they are no base URL', () => {
    const wrong = [
      '', 'macbook', 'ftp://a:1', 'http://', 'http://a:0', 'a:99999', 'http://u:p@a:1', 'http://a:1?x', 'http://a:1#x',
      'http:/a:1', 'a b:1', 'http://a b:1', 'http://[::1', 'http://a:1\n',
    ]; // prettier-ignore
    for (const text of wrong) expect(parsePeerAddress(text), text).to.equal(null);
  });

  it('of a collector are completed where they have no path', () => {
    expect(parseOtlpEndpoint('http://127.0.0.1:4318')).to.equal('http://127.0.0.1:4318/v1/traces');
    expect(parseOtlpEndpoint('https://otel.example/')).to.equal('https://otel.example/v1/traces');
    expect(parseOtlpEndpoint('https://otel.example/in/traces')).to.equal('https://otel.example/in/traces');
    for (const text of ['', '127.0.0.1:4318', 'grpc://127.0.0.1:4317', 'http://me:secret@127.0.0.1:4318']) {
      expect(parseOtlpEndpoint(text), text).to.equal(null);
    }
  });
});

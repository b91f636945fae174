// The least that a gateway on node:http and undici can do: pass the request to the provider and the response back.
//   PROVIDER=http://127.0.0.1:4000 PORT=4001 node bare-server.mjs
import { createServer } from 'node:http';
import { Pool } from 'undici';

const pool = new Pool(process.env.PROVIDER, { connections: 128, pipelining: 1 });

createServer((request, response) => {
  const { host, connection, 'transfer-encoding': _, ...headers } = request.headers;
  pool.dispatch(
    { path: request.url, method: request.method, headers, body: request },
    {
      onConnect() {},
      onHeaders(status, rawHeaders, resume) {
        const passed = [];
        for (let index = 0; index < rawHeaders.length; index += 2) {
          const name = rawHeaders[index].toString('latin1').toLowerCase();
          // These two belong to one connection; node:http sets its own.
          if (name !== 'connection' && name !== 'transfer-encoding')
            passed.push(name, rawHeaders[index + 1].toString('latin1'));
        }
        response.writeHead(status, passed);
        response.on('drain', resume);
        return true;
      },
      onData: (chunk) => response.write(chunk),
      onComplete: () => response.end(),
      onError: () => response.destroy(),
    },
  );
}).listen(Number(process.env.PORT), '127.0.0.1');

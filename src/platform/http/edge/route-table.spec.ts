import { fastify } from 'fastify';
import { RouteTable } from './route-table';

describe(RouteTable.name, () => {
  it('lists the methods of a path with parameters', () => {
    const routes = new RouteTable();
    const server = fastify();
    routes.observe(server);
    server.get('/v1/jobs/:id', () => ({}));
    server.patch('/v1/jobs/:id', () => ({}));
    server.post('/v1/jobs/import', () => ({}));
    server.get('/files/*', () => ({}));

    expect(routes.listMethods('/v1/jobs/5')).toEqual(['GET', 'HEAD', 'OPTIONS', 'PATCH']);
    expect(routes.listMethods('/v1/jobs/import')).toEqual(['GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST']);
    expect(routes.listMethods('/v1/jobs')).toEqual([]);
    expect(routes.listMethods('/v1/jobs/')).toEqual([]);
    expect(routes.listMethods('/v1/jobs/5/')).toEqual([]);
    expect(routes.listMethods('/files/a')).toEqual([]);
  });
});

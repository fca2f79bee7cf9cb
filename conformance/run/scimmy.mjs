// A SCIM server of the npm packages scimmy and scimmy-routers, with users and groups in memory: node server.mjs PORT TOKEN
import { randomUUID } from 'node:crypto';
import express from 'express';
import SCIMMY from 'scimmy';
import SCIMMYRouters from 'scimmy-routers';

const [port, token] = process.argv.slice(2);

const users = new Map(), groups = new Map();
const prepared = (name) => String(name).normalize('NFKC').toLowerCase();
const missing = (id) => { throw new SCIMMY.Types.Error(404, null, `there is no resource ${id}`); };

// What the packages leave to who uses them: keeping resources, finding them, and names that are used once.
function keep(name, Type, rows, { unique, shown = (row) => row }) {
  const find = (id) => rows.get(id) ?? missing(id);
  const content = ({ meta, ...row }) => JSON.stringify(row);
  Type
    .ingress((resource, data) => {
      const before = resource.id ? find(resource.id) : undefined;
      const id = before?.id ?? randomUUID();
      const taken = (row) => row.id !== id && prepared(row[unique]) === prepared(data[unique]);
      if (unique && [...rows.values()].some(taken)) throw new SCIMMY.Types.Error(409, 'uniqueness', `${unique} is taken`);
      const { password, schemas, ...row } = { ...JSON.parse(JSON.stringify(data)), id };
      const now = new Date().toISOString();
      const changed = !before || content(before) !== content(row);
      row.meta = { resourceType: name, created: before?.meta.created ?? now, lastModified: changed ? now : before.meta.lastModified };
      rows.set(id, row);
      return shown(row);
    })
    .egress((resource) => {
      if (resource.id) return shown(find(resource.id));
      const all = [...rows.values()].map(shown);
      return resource.filter ? resource.filter.match(all) : all;
    })
    .degress((resource) => { find(resource.id); rows.delete(resource.id); });
}

const inGroups = (user) => {
  const of = [...groups.values()].filter((group) => group.members?.some((member) => member.value === user.id));
  return of.length ? { ...user, groups: of.map((group) => ({ value: group.id, display: group.displayName })) } : user;
};
keep('User', SCIMMY.Resources.declare(SCIMMY.Resources.User).extend(SCIMMY.Schemas.EnterpriseUser, false), users, { unique: 'userName', shown: inGroups });
keep('Group', SCIMMY.Resources.declare(SCIMMY.Resources.Group), groups, {});
SCIMMY.Config.set({ patch: true, filter: true, sort: true, bulk: true });

const handler = (request) => {
  const [scheme, given] = (request.header('Authorization') ?? '').split(' ');
  if (scheme.toLowerCase() !== 'bearer' || given !== token || request.query.access_token) throw new Error('a token is needed');
  return 'tester';
};
const app = express();
app.disable('x-powered-by');
app.use('/scim/v2', new SCIMMYRouters({ type: 'bearer', handler }));
app.listen(Number(port), '127.0.0.1');

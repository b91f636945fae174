import { DataSource } from 'typeorm';
import { dataSourceOptions } from '#database';
import { entities } from './entities';

/** For the TypeORM command line, after `npm run build`: `npx typeorm -d dist/ormconfig.js migration:show`. */
export default new DataSource(dataSourceOptions({ url: process.env.DATABASE_URL ?? '', entities }));

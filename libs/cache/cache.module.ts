import { Module } from '@nestjs/common';
import { CacheService } from './cache.service';
import { ChangeFeedService } from './change-feed.service';
import { ChangesService } from './changes.service';

@Module({
  providers: [CacheService, ChangesService, ChangeFeedService],
  exports: [CacheService, ChangesService],
})
export class CacheModule {}

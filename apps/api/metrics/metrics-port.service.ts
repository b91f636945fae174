import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import fastify, { type FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { type Config, ConfigError, InjectConfig } from '#config';
import { MetricsService } from './metrics.service';

/** METRICS_PORT: the metrics on a port of their own, without a key. Nothing else is served there. */
@Injectable()
export class MetricsPortService implements OnApplicationBootstrap, OnApplicationShutdown {
  #server: FastifyInstance | undefined;

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly metrics: MetricsService,
  ) {}

  /** @throws ConfigError when the port cannot be opened */
  async onApplicationBootstrap(): Promise<void> {
    const { metricsPort: port, metricsHost: host } = this.config;
    if (port === undefined) return;
    const server = fastify({ forceCloseConnections: true });
    server.get('/metrics', async (_, reply) => {
      reply.header('content-type', Registry.PROMETHEUS_CONTENT_TYPE);
      return this.metrics.text();
    });
    try {
      await server.listen({ port, host });
    } catch (error) {
      throw new ConfigError([
        `${(error as Error).message}. Set METRICS_PORT or METRICS_HOST to a free address of this machine.`,
      ]);
    }
    this.#server = server;
  }

  /** After the last call: until then, the metrics show how the stop proceeds. */
  async onApplicationShutdown(): Promise<void> {
    await this.#server?.close();
  }
}

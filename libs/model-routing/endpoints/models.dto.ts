import { ApiProperty } from '@nestjs/swagger';
import { type AdapterName, adapterNames } from '#egress';
import { type ListedModel } from '../model-routing.service';

class ModelState {
  @ApiProperty({
    example: 'openai',
    nullable: true,
    type: String,
    description: 'Null: no provider serves it.',
  })
  provider: string | null;
  @ApiProperty({ enum: adapterNames, enumName: 'AdapterName' })
  adapter: AdapterName;
  @ApiProperty({ description: 'Whether the tenant can call the model now.' })
  ready: boolean;
}

/** A model with the fields of OpenAI's list and of Anthropic's. */
export class ModelResponse {
  @ApiProperty({ example: 'gpt-4o', description: 'Its name in ai_models.yml.' })
  id: string;
  @ApiProperty({ enum: ['model'] })
  object: 'model';
  @ApiProperty({ example: 0, description: 'Always 0, since the catalogue has no times.' })
  created: number;
  @ApiProperty({ example: 'openai' })
  owned_by: string;
  @ApiProperty({ enum: ['model'] })
  type: 'model';
  @ApiProperty({ example: 'GPT-4o' })
  display_name: string;
  @ApiProperty({ format: 'date-time', example: '1970-01-01T00:00:00Z' })
  created_at: string;
  @ApiProperty({ type: ModelState })
  tenkey: ModelState;

  static of({ model, provider, adapter, isReady }: ListedModel): ModelResponse {
    return {
      id: model.name,
      object: 'model',
      created: 0,
      owned_by: typeof model.org === 'string' ? model.org : (provider ?? 'unknown'),
      type: 'model',
      display_name: typeof model.nickname === 'string' ? model.nickname : model.name,
      created_at: '1970-01-01T00:00:00Z',
      tenkey: { provider: provider ?? null, adapter, ready: isReady },
    };
  }
}

export class ModelListResponse {
  @ApiProperty({ enum: ['list'] })
  object: 'list';
  @ApiProperty({ type: [ModelResponse], description: 'All models that the key may call.' })
  data: ModelResponse[];
  @ApiProperty({ enum: [false], description: 'Always false, because there is only one page.' })
  has_more: false;
  @ApiProperty({ example: 'gpt-4o', nullable: true, type: String, description: 'Null: there is no model.' })
  first_id: string | null;
  @ApiProperty({ example: 'gpt-4o', nullable: true, type: String })
  last_id: string | null;
}

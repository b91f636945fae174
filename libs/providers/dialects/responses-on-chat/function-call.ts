import { ObjectEnd } from '../messages-on-chat/object-end';
import { type CallFragment } from '../tool-calls';
import { type Json } from '../translation';
import { parsedObject } from '../values';
import { added, done, type Status } from './item-events';
import { type ClientTools } from './tool-names';
import { inputOfCustomTool } from './tools';

/**
 * One call of a function or of a custom tool. Its item begins with its arguments or with the next item, because the name may
 * arrive in fragments. The input of a custom tool is inside its arguments, so it follows when they are complete.
 */
export class FunctionCall {
  private id = '';
  private name = '';
  private json = '';
  private readonly objectEnd = new ObjectEnd();
  private item: { readonly id: string; readonly index: number } | undefined;
  /** The item is complete. */
  hasEnded = false;

  constructor(
    private readonly fallbackId: string,
    private readonly clientTools: ClientTools,
  ) {}

  get isOpen(): boolean {
    return this.item !== undefined;
  }

  /** The item's, once it is open. */
  get index(): number {
    return this.item?.index ?? 0;
  }

  /** Whether the arguments are a complete object. */
  get isComplete(): boolean {
    return this.isOpen && this.objectEnd.isReached;
  }

  /** @param next gives the item its id and index */
  add(fragment: CallFragment, next: () => { id: string; index: number }): Json[] {
    if (!this.isOpen) {
      this.id ||= fragment.id;
      // Some servers repeat the whole name.
      if (fragment.name !== this.name) this.name += fragment.name;
    }
    if (fragment.arguments === '' || this.hasEnded) return [];
    this.json += fragment.arguments;
    this.objectEnd.push(fragment.arguments);
    if (!this.isOpen) return this.open(next);
    return this.isCustom ? [] : [this.delta(fragment.arguments)];
  }

  /** Begins the item if its name is known. */
  open(next: () => { id: string; index: number }): Json[] {
    if (this.isOpen || this.name === '') return [];
    this.item = next();
    const events = [added(this.item.index, this.itemWith('in_progress', ''))];
    if (this.json !== '' && !this.isCustom) events.push(this.delta(this.json));
    return events;
  }

  end(status: Status): { events: Json[]; item: Json } {
    this.hasEnded = true;
    const isCutOff = status === 'incomplete' && !this.isComplete;
    const events: Json[] = [];
    if (this.json.trim() === '' && !isCutOff) {
      this.json = '{}';
      if (!this.isCustom) events.push(this.delta('{}'));
    }
    const item = this.itemWith(isCutOff ? 'incomplete' : 'completed', this.text);
    if (this.isCustom) {
      events.push(
        { type: 'response.custom_tool_call_input.delta', ...this.place, delta: item.input },
        { type: 'response.custom_tool_call_input.done', ...this.place, input: item.input },
      );
    } else {
      const { name } = item;
      events.push({
        type: 'response.function_call_arguments.done',
        ...this.place,
        name,
        arguments: this.json,
      });
    }
    events.push(done(this.index, item));
    return { events, item };
  }

  private get isCustom(): boolean {
    return this.clientTools.get(this.name)?.isCustom === true;
  }

  private get place(): Json {
    return { item_id: this.item?.id, output_index: this.index };
  }

  /** The arguments, or the input of a custom tool. A model that did not keep to the parameter wrote the input itself. */
  private get text(): string {
    if (!this.isCustom) return this.json;
    const input = parsedObject(this.json)?.[inputOfCustomTool];
    return typeof input === 'string' ? input : this.json;
  }

  private delta(text: string): Json {
    return { type: 'response.function_call_arguments.delta', ...this.place, delta: text };
  }

  private itemWith(status: Status | 'in_progress', text: string): Json {
    const { name, namespace, isCustom } = this.clientTools.get(this.name) ?? {
      name: this.name,
      isCustom: false,
    };
    const fields = {
      id: this.item?.id,
      status,
      call_id: this.id || this.fallbackId,
      name,
      ...(namespace !== undefined && { namespace }),
    };
    return isCustom
      ? { type: 'custom_tool_call', ...fields, input: text }
      : { type: 'function_call', ...fields, arguments: text };
  }
}

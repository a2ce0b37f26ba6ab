import type { OpenAPIObject } from '@nestjs/swagger';
import type { Operation } from './operations';

type Id = string | number;

/** Functions that the plugins below add to Swagger UI for each other. */
interface Functions {
  /** Returns the path of the list whose rows a field or parameter of this name refers to. */
  listOf(name: string): string | undefined;
  newestIdIn(list: string, ui: SwaggerUi): Promise<Id | undefined>;
  /** Returns the last token of this name that an answer on the page contained. */
  lastTokenNamed(name: string): string | undefined;
  fillParameters(path: string, method: string, operation: Operation, ui: SwaggerUi): Promise<void>;
  fillBody(path: string, method: string, operation: Operation, ui: SwaggerUi): Promise<void>;
}

/** The parts of Swagger UI that the plugins use. */
interface SwaggerUi {
  readonly fn: Functions;
  readonly specSelectors: { specJson(): { toJS(): OpenAPIObject } };
  readonly specActions: {
    changeParam(pathMethod: string[], name: string, place: string, value: Id, isXml: boolean): void;
  };
  readonly oas3Selectors: { requestBodyValue(path: string, method: string): unknown };
  readonly oas3Actions: { setRequestBodyValue(change: { value: string; pathMethod: string[] }): void };
  readonly authSelectors: { authorized(): { toJS(): Record<string, { value?: string }> } };
}

/** The action that opens and closes parts of the page. */
type Show = (thing: string[], isShown: boolean) => unknown;

/** The action that stores the answer to "Execute". */
type SetResponse = (path: string, method: string, response: { readonly body?: unknown }) => unknown;

interface Plugin {
  readonly fn?: Partial<Functions>;
  readonly statePlugins?: {
    readonly layout?: { readonly wrapActions: { show(original: Show, ui: SwaggerUi): Show } };
    readonly spec?: { readonly wrapActions: { setResponse(original: SetResponse): SetResponse } };
  };
}

function newestIdPlugin(): Plugin {
  const lists: Readonly<Record<string, string>> = {
    jobId: '/v1/jobs',
    proposalId: '/v1/proposals',
    recordId: '/v1/jobs',
  };
  return {
    fn: {
      listOf: (name) => lists[name],
      newestIdIn: async (list, ui) => {
        const [authorization] = Object.values(ui.authSelectors.authorized().toJS());
        if (!authorization?.value) return undefined;
        const headers = { authorization: `Bearer ${authorization.value}` };
        const answer = await fetch(list, { headers });
        // Rows for all users are listed for every user.
        const response = answer.ok ? answer : await fetch(list.replace('/v1/admin/', '/v1/'), { headers });
        const { items } = response.ok ? ((await response.json()) as { items?: { id?: Id }[] }) : {};
        return items?.[0]?.id;
      },
    },
  };
}

/** Keeps the tokens that a sign-in on the page returned. They are lost when the page is closed. */
function lastTokenPlugin(): Plugin {
  const tokens: Record<string, string> = { refreshToken: '', mfaToken: '' };
  return {
    fn: { lastTokenNamed: (name) => tokens[name] || undefined },
    statePlugins: {
      spec: {
        wrapActions: {
          setResponse: (original) => (path, method, response) => {
            const { body } = response;
            const found = typeof body === 'object' && body !== null ? Object.entries(body) : [];
            for (const [name, value] of found) if (name in tokens && typeof value === 'string') tokens[name] = value;
            return original(path, method, response);
          },
        },
      },
    },
  };
}

/** Fills `{id}` with a row of the list that the path begins with. Keeps values of the page and of the user. */
function fillParametersPlugin(): Plugin {
  return {
    fn: {
      fillParameters: async (path, method, { parameters = [] }, ui) => {
        let known = path;
        for (const parameter of parameters) {
          if ('$ref' in parameter || !parameter.required || !parameter.schema || 'example' in parameter.schema)
            continue;
          const { name } = parameter;
          const list = ui.fn.listOf(name) ?? known.split(`/{${name}}`)[0];
          const id = list === undefined || list === known ? undefined : await ui.fn.newestIdIn(list, ui);
          if (id === undefined) continue;
          known = known.replace(`{${name}}`, String(id));
          ui.specActions.changeParam([path, method], name, parameter.in, id, false);
        }
      },
    },
  };
}

function fillBodyPlugin(): Plugin {
  return {
    fn: {
      fillBody: async (path, method, { requestBody }, ui) => {
        const example: unknown =
          requestBody && 'content' in requestBody ? requestBody.content['application/json']?.example : undefined;
        if (typeof example !== 'object' || example === null) return;
        // Swagger UI first writes the example into the form.
        await new Promise((resolve) => setTimeout(resolve));
        const values: Record<string, string | number> = {};
        for (const name of Object.keys(example)) {
          const list = ui.fn.listOf(name);
          const value = list === undefined ? ui.fn.lastTokenNamed(name) : await ui.fn.newestIdIn(list, ui);
          if (value !== undefined) values[name] = value;
        }
        const written = ui.oas3Selectors.requestBodyValue(path, method);
        const isExample = written === undefined || written === JSON.stringify(example, null, 2);
        if (Object.keys(values).length === 0 || !isExample) return;
        ui.oas3Actions.setRequestBodyValue({
          value: JSON.stringify({ ...example, ...values }, null, 2),
          pathMethod: [path, method],
        });
      },
    },
  };
}

/** Fills in nothing for a DELETE or for a change by an admin: "Execute" alone must not destroy anything. */
function tryItOutPlugin(): Plugin {
  const onTryItOut = (operationId: string, ui: SwaggerUi): void => {
    for (const [path, item] of Object.entries(ui.specSelectors.specJson().toJS().paths)) {
      for (const [method, operation] of Object.entries(item as Record<string, Operation>)) {
        if (operation.operationId !== operationId) continue;
        if (method === 'delete' || (method !== 'get' && path.startsWith('/v1/admin/'))) return;
        void ui.fn.fillParameters(path, method, operation, ui);
        void ui.fn.fillBody(path, method, operation, ui);
      }
    }
  };
  return {
    statePlugins: {
      layout: {
        wrapActions: {
          show: (original, ui) => (thing, isShown) => {
            const [, , operationId = '', part] = thing;
            if (isShown && part === 'try-it-out') onTryItOut(operationId, ui);
            return original(thing, isShown);
          },
        },
      },
    },
  };
}

/**
 * Plugins of Swagger UI. "Try it out" fills in what no example can know: the ids of the caller's newest rows, and the
 * tokens of the last sign-in on the page. Without a sign-in, or with an empty list, the form keeps the values of the
 * document.
 *
 * The browser runs the source of each function, so a plugin uses nothing from outside its function.
 */
export const PREFILL_PLUGINS: readonly (() => Plugin)[] = [
  newestIdPlugin,
  lastTokenPlugin,
  fillParametersPlugin,
  fillBodyPlugin,
  tryItOutPlugin,
];

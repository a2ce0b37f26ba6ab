import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..', '..');

interface LaunchSettings {
  readonly configurations: readonly { name: string; port?: number; program?: string; args?: readonly string[] }[];
  readonly compounds: readonly { configurations: readonly string[]; preLaunchTask: string }[];
}

const readText = (...path: readonly string[]): string => readFileSync(join(ROOT, ...path), 'utf8');
const readJson = <T>(...path: readonly string[]): T => JSON.parse(readText(...path)) as T;

describe('the settings of editors', () => {
  const { configurations, compounds } = readJson<LaunchSettings>('.vscode', 'launch.json');
  const { tasks } = readJson<{ tasks: readonly { label: string; command: string }[] }>('.vscode', 'tasks.json');
  const { scripts } = readJson<{ scripts: Record<string, string> }>('package.json');

  it('attach to the ports that --inspect opens', () => {
    const opened = [...readText('src', 'cli', 'launcher', 'server-processes.ts').matchAll(/inspectPort: (\d+)/g)];

    expect(configurations.flatMap(({ port = [] }) => port)).toEqual(opened.map(([, port]) => Number(port)));
  });

  it('name files, configurations and commands that exist', () => {
    const files = configurations.flatMap(({ program = [], args = [] }) => [program, args[1] ?? []].flat());
    const named = tasks.flatMap(({ command }) => /^npm run ([\w:-]+)/.exec(command)?.[1] ?? []);

    expect(files.map((file) => [file, existsSync(join(ROOT, file.replace('${workspaceFolder}/', '')))])).toEqual(
      files.map((file) => [file, true]),
    );
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
    for (const compound of compounds) {
      expect(configurations.map(({ name }) => name)).toEqual(expect.arrayContaining([...compound.configurations]));
      expect(tasks.map(({ label }) => label)).toContain(compound.preLaunchTask);
    }
  });

  it('use the Node version of .nvmrc and the same extensions in the dev container', () => {
    const container = readJson<{ image: string; customizations: { vscode: { extensions: string[] } } }>(
      '.devcontainer',
      'devcontainer.json',
    );
    const { recommendations } = readJson<{ recommendations: string[] }>('.vscode', 'extensions.json');

    expect(container.image).toContain(`:${readText('.nvmrc').trim()}-`);
    expect(container.customizations.vscode.extensions).toEqual(recommendations);
  });
});

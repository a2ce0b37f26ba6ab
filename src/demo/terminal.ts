import { stdout } from 'node:process';
import { styleText } from 'node:util';

const BAR_WIDTH = 30;

/** Terminal output of the demo: headings, lines, small tables and a progress bar. */
export class Terminal {
  private readonly isInteractive = stdout.isTTY;

  printHeading(text: string): void {
    stdout.write(`\n${this.style('bold', text)}\n`);
  }

  printLine(text: string): void {
    stdout.write(`  ${text}\n`);
  }

  printSuccess(text: string): void {
    this.printLine(`${this.style('green', '✓')} ${text}`);
  }

  /** Prints columns as wide as their widest cell, cut at `widest` characters. */
  printTable(rows: readonly (readonly string[])[], widest = 60): void {
    const cut = rows.map((row) => row.map((cell) => (cell.length > widest ? `${cell.slice(0, widest - 1)}…` : cell)));
    const widths = (cut[0] ?? []).map((_, i) => Math.max(...cut.map((row) => row[i]?.length ?? 0)));
    for (const row of cut)
      this.printLine(
        row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd(),
      );
  }

  /** Prints a progress bar, updated in place on a terminal; elsewhere only the complete bar. */
  printProgress(label: string, done: number, total: number): void {
    const share = total === 0 ? 1 : done / total;
    if (!this.isInteractive && share < 1) return;
    const filled = Math.round(share * BAR_WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    stdout.write(
      `${this.isInteractive ? '\r' : ''}  ${bar} ${String(Math.round(share * 100)).padStart(3)} %  ${label}`,
    );
    if (share >= 1) stdout.write('\n');
  }

  private style(format: Parameters<typeof styleText>[0], text: string): string {
    return this.isInteractive ? styleText(format, text) : text;
  }
}

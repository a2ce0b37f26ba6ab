/*
 * Improves bull-board's page as it changes: names for icon-only buttons, a missing heading, and a visible link back. It
 * relies on elements and icons, not on the page's own classes.
 */
'use strict';
(() => {
  const names = {
    maximize: 'Full screen',
    settings: 'Settings',
    'circle-user': 'Links',
    'ellipsis-vertical': 'Actions',
    copy: 'Copy',
  };
  const getName = (button) => {
    const icon = /lucide-([a-z-]+)/.exec(button.querySelector('svg')?.getAttribute('class') ?? '')?.[1] ?? '';
    return names[icon] ?? (icon.replaceAll('-', ' ') || 'Button');
  };
  const addNames = () => {
    for (const button of document.querySelectorAll('button:not([aria-label], [aria-labelledby], [title])')) {
      if (button.textContent.trim() === '') button.setAttribute('aria-label', getName(button));
    }
  };
  const addHeading = () => {
    const own = document.getElementById('board-heading');
    const others = document.querySelectorAll('h1:not(#board-heading)').length;
    if (own && others > 0) own.remove();
    const main = document.querySelector('main');
    if (own || others > 0 || !main) return;
    const heading = Object.assign(document.createElement('h1'), { id: 'board-heading', textContent: 'Queue' });
    heading.style.cssText =
      'position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap';
    main.prepend(heading);
  };
  const addLink = () => {
    const list = document.querySelector('header ul');
    if (!list || document.getElementById('board-back')) return;
    const link = Object.assign(document.createElement('a'), {
      id: 'board-back',
      href: '/admin',
      textContent: 'Back to the dashboard',
    });
    link.style.cssText = 'display:block;width:min-content;min-width:5rem;color:inherit;text-decoration:underline';
    const item = document.createElement('li');
    item.style.cssText = 'align-self:center;font-size:.85rem;line-height:1.2';
    item.append(link);
    list.prepend(item);
  };
  const enhance = () => {
    addNames();
    addHeading();
    addLink();
  };
  new MutationObserver(enhance).observe(document.body, { childList: true, subtree: true });
  enhance();
})();

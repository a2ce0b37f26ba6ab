/** A small listing in Upwork's columns, invented for the demo: every form of budget, and one repeated row. */
export const SAMPLE_LISTING = `Job Title,Hourly/Fixed,Budget,Level,Skills
Online shop for a small bakery,Fixed price,"Est. budget:
$1,200.00",Intermediate,"Web Development, WordPress, WooCommerce, CSS"
Move a reporting service from MySQL to PostgreSQL,Hourly: $35.00 - $60.00,N/A,Expert,"PostgreSQL, MySQL, Python, Database Administration"
React dashboard for a fleet of sensors,Hourly: $25.00 - $45.00,N/A,Intermediate,"React, TypeScript, Node.js, MQTT"
Fix the checkout of our NestJS backend,Hourly,N/A,Expert,"Node.js, NestJS, TypeScript, Stripe, +3"
Logo for a climbing club,Fixed price,"Est. budget:
$90.00",Entry Level,"Graphic Design, Logo Design"
Telegram bot that answers delivery questions,Fixed price,"Est. budget:
$400.00",Intermediate,"Python, Telegram API, Bot Development"
Translate a mobile app into Ukrainian,Hourly: $12.00 - $20.00,N/A,Entry Level,"Translation, Ukrainian, Localization"
Speed up slow PostgreSQL queries,Fixed price,"Est. budget:
$650.00",Expert,"PostgreSQL, Performance Optimization, SQL"
Landing page in Webflow,Fixed price,"Est. budget:
$250.00",Entry Level,"Webflow, Web Design"
Scraper for public tenders,Hourly: $18.00 - $30.00,N/A,Intermediate,"Python, Data Scraping, PostgreSQL"
Logo for a climbing club,Fixed price,"Est. budget:
$90.00",Entry Level,"Graphic Design, Logo Design"
Mentor for a junior TypeScript developer,Hourly,N/A,Intermediate,"TypeScript, Node.js"
`;

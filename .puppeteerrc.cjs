// puppeteer's own browser download is not available everywhere; test/browser/find-browser.mjs finds or installs one.
module.exports = { skipDownload: true };

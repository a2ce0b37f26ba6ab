const { default: TestSequencer } = require('@jest/test-sequencer');
const { ENTRY_FILE } = require('./grouped-tests.cjs');

/** Starts the groups first. They take longest, but without earlier durations Jest starts the largest files first. */
module.exports = class GroupsFirst extends TestSequencer {
  sort(tests) {
    const isGroup = ({ path }) => new RegExp(ENTRY_FILE).test(path);
    return [...tests.filter(isGroup), ...super.sort(tests.filter((test) => !isGroup(test)))];
  }
};

require('./grouped-tests.cjs').declareGroup(__filename);

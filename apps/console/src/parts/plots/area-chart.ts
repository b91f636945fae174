/** Apart from the other charts, because Today shows none and has to be there soon. */
export { AreaChart as default } from '@mantine/charts';

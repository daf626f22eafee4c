// The daemon serves the installed library beside this page, under this name.
export { default } from 'uplot';

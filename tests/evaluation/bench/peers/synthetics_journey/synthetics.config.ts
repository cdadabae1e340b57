export default () => ({
  params: {
    web: process.env.WEB,
    login: 'synthetic.consultant',
    password: process.env.PASSWORD_CONSULTANT,
    name: process.env.NAME,
    company: process.env.COMPANY,
  },
  playwrightOptions: { executablePath: process.env.BROWSER, args: ['--no-sandbox'] },
});

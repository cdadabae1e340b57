import { expect, journey, step } from '@elastic/synthetics';

const patient = { timeout: 60_000 };

for (let run = 1; run <= Number(process.env.RUNS); run++) {
  journey(`sign in ${run}`, ({ page, params }) => {
    page.setDefaultTimeout(60_000);

    step('sign in', async () => {
      await page.goto(params.web);
      await page.locator('.login-dialog input#login').fill(params.login);
      await page.locator('.login-dialog button[type=submit]').click();
      await page.locator('.ask-dialog input[type=password]').fill(params.password);
      await page.locator('.ask-dialog .modal-footer .btn-primary').click();
    });

    step('read who it is', async () => {
      await page.locator('#user-preferences > a').click();
      await expect(page.locator('.modal-body input[name=name]')).toHaveValue(params.name, patient);
      await expect(page.locator('.modal-body select[name=company] option:checked')).toHaveText(params.company, patient);
      await expect(page.locator('.modal-body select[name=language]')).toHaveValue('"en"', patient);
      await page.locator('.modal-footer .btn-link:visible').click();
    });

    step('sign out', async () => {
      await page.locator('#user-logout > a').click();
      await expect(page.locator('.login-dialog input#login')).toBeVisible(patient);
    });
  });
}

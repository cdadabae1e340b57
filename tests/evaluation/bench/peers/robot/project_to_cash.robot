*** Settings ***
Documentation     Project to cash with Robot Framework: robot --variable RUNS:1 project_to_cash.robot
Resource          tryton.resource
Suite Setup       Everybody Signs In
Suite Teardown    Everybody Signs Out

*** Variables ***
${ERP}          %{ERP}
${RUNS}         1
${CUSTOMER}     Ringgate Synthetic Client
${SERVICE}      Consulting
${CASH}         1000
@{OF_INVOICE}   number    state    invoice_date    party.name    currency.code    untaxed_amount    tax_amount
...             total_amount    amount_to_pay    lines.quantity    lines.unit_price    lines.amount    taxes.base
...             taxes.amount    taxes.tax.name    lines_to_pay.maturity_date
@{OF_MOVE}      post_number    date    state    lines.account.code    lines.debit    lines.credit
@{OF_PROJECT}   name    party.name    status.progress    children.name    children.timesheet_works
@{OF_SETTLED}   state    invoice_date    lines_to_pay.reconciliation    payment_lines.reconciliation

*** Test Cases ***
Project To Cash
    FOR    ${run}    IN RANGE    ${RUNS}
        Know The Day And A Name
        ${project}    ${task}=    Create Project
        ${line}=    Enter Time    ${project}    ${task}
        ${ids}=    Draft Invoice    ${project}
        Post Invoice    ${ids}
        Receive Payment    ${ids}
        Find The Money    ${ids}
        Take Back Payment    ${ids}
        Take Back Invoice    ${ids}
        Take Back Project    ${project}    ${task}[id]    ${line}
    END

*** Keywords ***
Everybody Signs In
    FOR    ${role}    IN    project_manager    consultant    accountant    auditor
        ${user}=    Sign In    ${role}
        VAR    ${${role}}    ${user}    scope=SUITE
    END
    VAR    &{KNOWN}    &{EMPTY}    scope=SUITE

Everybody Signs Out
    FOR    ${user}    IN    ${project_manager}    ${consultant}    ${accountant}    ${auditor}
        Sign Out    ${user}
    END

Know The Day And A Name
    ${day}=    Evaluate    datetime.datetime.now(datetime.UTC).date()
    VAR    ${TODAY}    ${{ {'__class__': 'date', 'year': $day.year, 'month': $day.month, 'day': $day.day} }}    scope=SUITE
    VAR    ${NAME}    ${{ 'Robot ' + secrets.token_hex(6) }}    scope=SUITE

Known
    [Documentation]    The id of master data, looked up once.
    [Arguments]    ${key}    ${user}    ${model}    @{clause}
    IF    $key not in $KNOWN
        ${id}=    Find    ${user}    ${model}    @{clause}
        Set To Dictionary    ${KNOWN}    ${key}=${id}
    END
    RETURN    ${KNOWN}[${key}]

Create Project
    ${product}=    Known    product    ${project_manager}    product.product    name    =    ${SERVICE}
    ${party}=    Known    customer    ${project_manager}    party.party    name    =    ${CUSTOMER}
    ${work}=    Evaluate    {'type': 'task', 'name': $NAME, 'product': $product, 'list_price': {'__class__': 'Decimal', 'decimal': '120'}, 'effort_duration': {'__class__': 'timedelta', 'seconds': 28800}, 'timesheet_available': True}
    ${draft}=    Evaluate    {'type': 'project', 'name': $NAME, 'party': $party, 'project_invoice_method': 'timesheet', 'children': [['create', [$work]]]}
    ${ids}=    Call    ${project_manager}    project.work.create    ${{ [$draft] }}
    ${stated}=    Read    ${project_manager}    project.work    ${ids}[0]    ${OF_PROJECT}
    Should Be Equal    ${stated}[name]    ${NAME}
    Should Be Equal    ${stated}[party.][name]    ${CUSTOMER}
    RETURN    ${ids}[0]    ${stated}[children.][0]

Enter Time
    [Arguments]    ${project}    ${task}
    ${entry}=    Evaluate    {'work': $task['timesheet_works'][0], 'date': $TODAY, 'duration': {'__class__': 'timedelta', 'seconds': 27000}, 'description': $NAME}
    ${lines}=    Call    ${consultant}    timesheet.line.create    ${{ [$entry] }}
    ${fields}=    Create List    work.origin    duration    date    description
    ${entered}=    Read    ${consultant}    timesheet.line    ${lines}[0]    ${fields}
    Should Be Equal As Numbers    ${entered}[duration][seconds]    27000
    ${done}=    Known    done    ${project_manager}    project.work.status    progress    =    ${1.0}
    Call    ${project_manager}    project.work.write    ${{ [$project, $task['id']] }}    ${{ {'progress': 1.0, 'status': $done} }}
    ${stated}=    Read    ${project_manager}    project.work    ${project}    ${OF_PROJECT}
    Should Be Equal As Numbers    ${stated}[status.][progress]    1
    RETURN    ${lines}[0]

Draft Invoice
    [Arguments]    ${project}
    Call    ${accountant}    project.work.invoice    ${{ [$project] }}
    ${drafts}=    Evaluate    [['description', '=', $NAME], ['type', '=', 'out'], ['state', '=', 'draft']]
    ${invoice}=    One Row    ${accountant}    account.invoice    ${drafts}    ${OF_INVOICE}
    Should Be Equal    ${invoice}[party.][name]    ${CUSTOMER}
    Amount Should Be    ${invoice}[untaxed_amount]    900
    RETURN    ${{ [$invoice['id']] }}

Post Invoice
    [Arguments]    ${ids}
    Call    ${accountant}    account.invoice.write    ${ids}    ${{ {'invoice_date': $TODAY} }}
    Call    ${accountant}    account.invoice.post    ${ids}
    FOR    ${user}    IN    ${accountant}    ${auditor}
        ${invoice}=    Read    ${user}    account.invoice    ${ids}[0]    ${OF_INVOICE}
        Should Be Equal    ${invoice}[state]    posted
        Amount Should Be    ${invoice}[untaxed_amount]    900
        Amount Should Be    ${invoice}[tax_amount]    180
        Amount Should Be    ${invoice}[total_amount]    1080
    END
    ${ledger}=    Read    ${auditor}    account.invoice    ${ids}[0]    ${{ ['move.' + field for field in $OF_MOVE] }}
    Balance Should Be    ${ledger}[move.][lines.]    1100    1080
    Balance Should Be    ${ledger}[move.][lines.]    4000    -900
    Balance Should Be    ${ledger}[move.][lines.]    2200    -180

Receive Payment
    [Arguments]    ${ids}
    ${payer}=    Known    payer    ${accountant}    party.party    name    =    ${CUSTOMER}
    ${currency}=    Known    currency    ${accountant}    currency.currency    code    =    GBP
    ${method}=    Known    method    ${accountant}    account.invoice.payment.method    debit_account.code    =    ${CASH}
    ${start}=    Evaluate    {'payee': $payer, 'amount': {'__class__': 'Decimal', 'decimal': '1080.00'}, 'currency': $currency, 'payment_method': $method, 'date': $TODAY, 'description': $NAME}
    Run Wizard    ${accountant}    account.invoice.pay    choice    ${{ {'start': $start} }}    account.invoice    ${ids}
    ${paid}=    Read    ${accountant}    account.invoice    ${ids}[0]    ${OF_INVOICE}
    Should Be Equal    ${paid}[state]    paid
    Amount Should Be    ${paid}[amount_to_pay]    0

Find The Money
    [Arguments]    ${ids}
    ${domain}=    Evaluate    [['origin', '=', 'account.invoice,' + str($ids[0])], ['state', '=', 'posted']]
    ${moves}=    Rows    ${auditor}    account.move    ${domain}    ${OF_MOVE}
    ${lines}=    Evaluate    [line for move in $moves for line in move['lines.']]
    Balance Should Be    ${lines}    1100    0
    Balance Should Be    ${lines}    ${CASH}    1080

Take Back Payment
    [Arguments]    ${ids}
    ${own}=    One Row    ${accountant}    account.invoice    ${{ [['id', 'in', $ids]] }}    ${{ ['move'] }}
    ${domain}=    Evaluate    [['origin', '=', 'account.invoice,' + str($ids[0])], ['state', '=', 'posted'], ['id', '!=', $own['move']]]
    ${payment}=    One Row    ${accountant}    account.move    ${domain}    ${{ ['lines.reconciliation'] }}
    ${origin}=    Evaluate    [['origin', '=', 'account.move,' + str($payment['id'])]]
    ${counters}=    Rows    ${accountant}    account.move    ${origin}    ${{ ['origin'] }}
    Should Be Empty    ${counters}
    ${settled}=    Evaluate    [line['id'] for line in $payment['lines.'] if line['reconciliation']]
    Run Wizard    ${accountant}    account.move.unreconcile_lines    unreconcile    ${{ {} }}    account.move.line    ${settled}
    ${reverse}=    Evaluate    {'default': {'description': None, 'reversal': True}}
    Run Wizard    ${accountant}    account.move.cancel    cancel    ${reverse}    account.move    ${{ [$payment['id']] }}

Take Back Invoice
    [Arguments]    ${ids}
    ${invoice}=    One Row    ${accountant}    account.invoice    ${{ [['id', 'in', $ids]] }}    ${OF_SETTLED}
    ${notes}=    Rows    ${accountant}    account.invoice    ${{ [['lines.origin.invoice.id', '=', $ids[0], 'account.invoice.line']] }}    ${OF_SETTLED}
    Should Be Empty    ${notes}
    ${start}=    Evaluate    {'invoice_date': $invoice['invoice_date'], 'with_refund': True, 'with_refund_allowed': True}
    Run Wizard    ${accountant}    account.invoice.credit    credit    ${{ {'start': $start} }}    account.invoice    ${ids}
    ${credited}=    One Row    ${accountant}    account.invoice    ${{ [['id', 'in', $ids]] }}    ${{ ['state', 'move'] }}
    Should Be Equal    ${credited}[state]    cancelled

Take Back Project
    [Arguments]    ${project}    ${task}    ${line}
    ${billed}=    One Row    ${consultant}    timesheet.line    ${{ [['id', '=', $line]] }}    ${{ ['invoice_line'] }}
    ${closed}=    Read    ${accountant}    account.invoice.line    ${billed}[invoice_line]    ${{ ['invoice.state'] }}
    Should Be Equal    ${closed}[invoice.][state]    cancelled
    Call    ${consultant}    timesheet.line.write    ${{ [$line] }}    ${{ {'invoice_line': None} }}
    Call    ${consultant}    timesheet.line.delete    ${{ [$line] }}
    One Row    ${project_manager}    project.work    ${{ [['id', '=', $project]] }}    ${{ ['type', 'children'] }}
    Call    ${project_manager}    project.work.delete    ${{ [$project, $task] }}

"""The screens of Tryton's web client, one file each. Locators are properties; `validate_page()` says where we are.

| file         | holds                                                                                  |
|--------------|----------------------------------------------------------------------------------------|
| `client.py`  | `WebClient`: one browser page with the client in it, waiting, looking, errors told apart |
| `login.py`   | `LoginPage`: the dialogs a user signs in by                                              |
| `tabs.py`    | `Tabs`: opening a record or a list by its address, closing it again                      |
| `form.py`    | `Form`: fields, buttons and lists of a record or of a window                             |
| `dialogs.py` | `Dialogs`: what the client asks, warns of or complains about                             |
| `user_menu.py` | `UserMenu`: the user's preferences, and signing out                                    |
| `formats.py` | how a user's numbers, dates and durations are written                                    |
| `watch.js`   | what runs in the client beside its own scripts, to wait and to look                      |

Nothing here knows a business verb (see `browser_actor.py`), and nothing there knows a selector.
"""

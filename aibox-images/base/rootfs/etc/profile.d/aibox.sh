# Login shells set PATH anew in /etc/profile: put back what the image promises.
case ":$PATH:" in
*:/usr/sbin:*) ;;
*) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin ;;
esac
export PATH LANG=C.UTF-8
